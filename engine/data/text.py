"""A text as codes of its characters, in three contiguous parts: what language models learn."""

from dataclasses import dataclass

import numpy as np

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
