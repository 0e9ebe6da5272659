"""CIFAR-100: 100 classes of 600 colour images, 32 × 32 (Krizhevsky, 2009), for few-shot learning.

From a folder of one's own, in the Python form that its site offers. The classes are split by
superclass, so that what is held out is of another kind: FC100 (Oreshkin et al., 2018).
"""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from engine.data import class_images, local_folder
from engine.data.cache import Progress
from engine.data.class_images import SPLITS, ClassImages
from engine.data.errors import DataError
from engine.data.local_folder import FromFolder

SIDE = 32
FILES = ("train", "test", "meta")
USUAL_FORM = "the files train, test and meta of cifar-100-python"
HELD_OUT = {1: {8, 11, 13, 16}, 2: {0, 7, 12, 14}}
"""Superclasses of meta-validation and meta-test."""


def make(folder: Path, progress: Progress) -> ClassImages:
    train, test, meta = (_unpickled(folder, name) for name in FILES)
    try:
        pixels = np.concatenate([part["data"] for part in (train, test)])
        fine, coarse = (
            np.concatenate([part[key] for part in (train, test)])
            for key in ("fine_labels", "coarse_labels")
        )
        images = pixels.astype(np.uint8).reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
        names = list(meta["fine_label_names"])
        splits = np.zeros(len(names), dtype=int)
        for split, superclasses in HELD_OUT.items():
            splits[fine[np.isin(coarse, list(superclasses))]] = split
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise DataError(f"{folder} is not {USUAL_FORM}: {error}") from None
    groups = []
    for split, title in enumerate(SPLITS):
        progress(f"sorting {title}", split, len(SPLITS))
        labels = [label for label in np.unique(fine) if splits[label] == split]
        if not labels:
            raise local_folder.missing(folder, USUAL_FORM, f"class for {title}")
        groups.append((title, split, {names[label]: images[fine == label] for label in labels}))
    return class_images.class_images(groups)


class _ArraysOnly(pickle.Unpickler):
    """Reads numbers, texts and arrays, and refuses to call anything else that a file may name."""

    ALLOWED = {
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.numeric", "_frombuffer"),
        ("_codecs", "encode"),
    }

    def find_class(self, module: str, name: str) -> Any:
        module = module.replace("numpy.core", "numpy._core")
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is no array")
        return super().find_class(module, name)


def _unpickled(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    if not path.is_file():
        raise local_folder.missing(folder, USUAL_FORM, f"file {name}")
    try:
        with path.open("rb") as file:
            found = _ArraysOnly(file, encoding="latin1").load()
    except (pickle.UnpicklingError, EOFError, ValueError, AttributeError, IndexError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise DataError(f"{path} is not {USUAL_FORM}")
    return found


SET = FromFolder("cifar100", "CIFAR-100", class_images, USUAL_FORM, make)
"""32 × 32 in colour."""
TITLE, available, load, fetch = SET.title, SET.available, SET.load, SET.fetch
