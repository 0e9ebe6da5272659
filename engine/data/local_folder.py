"""Data sets that may not be passed on: converted once from a folder in their usual form."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.data.cache import Progress, locked
from engine.data.errors import DataError
from engine.data.kept import Kept

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp"}


@dataclass
class FromFolder(Kept):
    """Such a set that is kept as one file."""

    usual_form: str
    make: Callable[[Path, Progress], Any]
    """What `form` writes, made from the user's folder."""

    def fetch(self, progress: Progress, folder: Path | None = None) -> str:
        def make(folder: Path, progress: Progress) -> str:
            return self.form.write(self.make(folder, progress), self.path)

        return fetch(
            self.title, self.path, usual_form=self.usual_form, make=make, folder=folder,
            progress=progress,
        )  # fmt: skip


def fetch(
    title: str,
    path: Path,
    *,
    usual_form: str,
    make: Callable[[Path, Progress], str],
    folder: Path | None,
    progress: Progress,
) -> str:
    """Make the file `path` from `folder`, and say what was made; `DataError` without a folder."""
    if folder is None:
        if path.exists():
            return f"{title} is already in {path.parent}."
        raise DataError(
            f"{title} may not be passed on, so it cannot be downloaded here. Get it from its "
            f"authors and name the folder: python -m engine fetch {path.parent.name} "
            f"--data-dir FOLDER. FOLDER has {usual_form}."
        )
    if not folder.is_dir():
        raise DataError(f"--data-dir: there is no folder {folder}")
    with locked(path.parent):
        made = make(folder, progress)
    return f"{title} is in {path.parent}: {made}, from {folder}."


def missing(folder: Path, usual_form: str, what: str) -> DataError:
    return DataError(f"{folder} has no {what}; expected: {usual_form}")


def pictures(folder: Path) -> list[Path]:
    """The pictures in a folder, in the order of their names."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())


def picture(path: Path, side: int, mode: str) -> np.ndarray:
    """uint8 [side, side] of mode L, [side, side, 3] of mode RGB: the middle square, scaled."""
    try:
        with Image.open(path) as image:
            width, height = image.size
            cut = min(width, height)
            left, top = (width - cut) // 2, (height - cut) // 2
            square = image.convert(mode).crop((left, top, left + cut, top + cut))
            return np.asarray(square.resize((side, side), Image.Resampling.LANCZOS))
    except OSError as error:
        raise DataError(f"cannot read the picture {path}: {error}") from None


def rows(path: Path) -> list[dict[str, str]]:
    """A table with a header, in comma-separated values."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
