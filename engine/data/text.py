"""A text as codes of its characters, in three contiguous parts: what language models learn."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from engine.data.cache import publish, staging
from engine.data.errors import DataError

SUFFIX = ".txt"
TRAIN = 0.9
VALIDATION = 0.05


@dataclass(frozen=True)
class Text:
    """Codes of characters (or of words), split once and for all."""

    codes: np.ndarray
    """int64 [length], each below `len(alphabet)`; the training part first, then validation, then
    test."""
    alphabet: tuple[str, ...]
    """What each code stands for."""
    train_length: int
    validation_length: int

    @property
    def train(self) -> np.ndarray:
        return self.codes[: self.train_length]

    @property
    def validation(self) -> np.ndarray:
        return self.codes[self.train_length : self.train_length + self.validation_length]

    @property
    def test(self) -> np.ndarray:
        return self.codes[self.train_length + self.validation_length :]


def characters(text: str) -> Text:
    """The characters of `text`: 90 % to train on, 5 % to validate, 5 % to test."""
    points = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
    alphabet, codes = np.unique(points, return_inverse=True)
    return Text(
        codes=codes.astype(np.int64),
        alphabet=tuple(map(chr, alphabet)),
        train_length=int(TRAIN * len(codes)),
        validation_length=int(VALIDATION * len(codes)),
    )


def write(text: str, path: Path) -> str:
    """One file in UTF-8, which is there whole or not at all. Returns what is in it."""
    with staging(path.parent) as temporary:
        (temporary / path.name).write_text(text, encoding="utf-8", newline="")
        publish(temporary, path.parent)
    return f"{len(text):,} characters, {len(set(text))} different ones"


def read(path: Path) -> Text | None:
    """The characters of a file, or nothing where there is no such file or it is no text."""
    try:
        return characters(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def load(path: Path) -> Text:
    """The characters of a file, read once in a process; `DataError` where it is no text."""
    return _load(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _load(path: Path, changed: int) -> Text:
    text = read(path)
    if text is None:
        raise DataError(f"{path} is not a text in UTF-8; remove it, and fetch it again")
    return text
