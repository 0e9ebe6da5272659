"""Images grouped by class, and classes grouped by alphabet: what few-shot episodes draw from."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from engine.data.cache import publish, staging
from engine.data.errors import DataError

SUFFIX = ".npz"
SPLITS = ("meta-train", "meta-validation", "meta-test")


@dataclass(frozen=True)
class ClassImages:
    """Images whose classes are split by group, so that what is held out looks different.

    A group is what an episode stays inside: an alphabet, a kind of picture.
    """

    images: np.ndarray
    """uint8 [N, height, width] or [N, height, width, 3]; a class's instances stand together, and
    the classes of a group too."""
    first: np.ndarray
    """int64 [classes]: where a class's instances begin in `images`."""
    count: np.ndarray
    """int64 [classes]: how many instances it has."""
    group: np.ndarray
    """int64 [classes]: the index of its group; ascending."""
    groups: tuple[str, ...]
    """The groups' names."""
    split: np.ndarray
    """int64 [groups]: 0 meta-train, 1 meta-validation, 2 meta-test; see `SPLITS`."""
    names: tuple[str, ...]
    """The classes' names."""

    def classes_of(self, split: int) -> np.ndarray:
        """int64 [classes of that split]: their indices."""
        return np.flatnonzero(self.split[self.group] == split)


Instances = Mapping[str, Sequence[np.ndarray]]
"""Class name to its images, all uint8 and of one shape."""


def class_images(groups: Iterable[tuple[str, int, Instances]]) -> ClassImages:
    """The set made of groups, each given as its name, its split and its classes."""
    groups = list(groups)
    stacks = [np.stack(images) for _, _, classes in groups for images in classes.values()]
    count = np.array([len(stack) for stack in stacks], dtype=np.int64)
    sizes = [len(classes) for _, _, classes in groups]
    return ClassImages(
        images=np.concatenate(stacks),
        first=np.cumsum(count) - count,
        count=count,
        group=np.repeat(np.arange(len(groups), dtype=np.int64), sizes),
        groups=tuple(name for name, _, _ in groups),
        split=np.array([split for _, split, _ in groups], dtype=np.int64),
        names=tuple(name for _, _, classes in groups for name in classes),
    )


def write(data: ClassImages, path: Path) -> str:
    """One compressed file, which is there whole or not at all. Returns what is in it."""
    with staging(path.parent) as temporary:
        np.savez_compressed(temporary / path.name, **vars(data))
        publish(temporary, path.parent)
    return f"{len(data.images):,} images of {len(data.first):,} classes"


def read(path: Path) -> ClassImages | None:
    """What `write` left there, or nothing where there is no such file or it is damaged."""
    try:
        with np.load(path) as stored:
            parts = dict(stored)
        names = {name: tuple(map(str, parts.pop(name))) for name in ("groups", "names")}
        return ClassImages(**parts, **names)
    except (OSError, ValueError, TypeError, KeyError, EOFError, BadZipFile, zlib.error):
        return None


def load(path: Path) -> ClassImages:
    """What `write` left there, read once in a process; `DataError` where it is damaged."""
    return _load(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _load(path: Path, changed: int) -> ClassImages:
    data = read(path)
    if data is None:
        raise DataError(f"{path} is damaged; remove it, and fetch it again")
    return data
