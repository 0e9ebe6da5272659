"""The descriptions of its data sets that scikit-learn ships, in small letters: 33,000 characters.

Dry English, the same on every machine with this version of scikit-learn: the text that needs no
download. As in text8 (Mahoney, 2006) there are 26 letters and the space, which stands for all else.
Licence: BSD-3-Clause, that of scikit-learn.
"""

import re
from importlib.resources import files

import numpy as np

from engine.data.cache import Progress
from engine.data.text import Text

TITLE = "The descriptions of scikit-learn's data sets"
ALPHABET = tuple(" abcdefghijklmnopqrstuvwxyz")
BLOCK = 512
"""Characters that stay together when the text is divided: each part then has some of every
description."""
SPLIT_SEED = 0
TRAIN, VALIDATION = 0.8, 0.1


def available() -> bool:
    return True


def fetch(progress: Progress) -> str:
    return f"{TITLE} are part of an installed package; there is nothing to fetch."


def load() -> Text:
    """80 % to train on, 10 % to validate and 10 % to test, in blocks that take turns by a
    permutation which never changes."""
    shipped = sorted(files("sklearn.datasets.descr").iterdir(), key=lambda path: path.name)
    text = "\n".join(
        path.read_text(encoding="utf-8") for path in shipped if path.name.endswith(".rst")
    )
    letters = re.sub("[^a-z]+", " ", text.lower())
    codes = np.array([ALPHABET.index(letter) for letter in letters], dtype=np.int64)
    blocks = codes[: len(codes) // BLOCK * BLOCK].reshape(-1, BLOCK)
    order = np.random.RandomState(SPLIT_SEED).permutation(len(blocks))
    return Text(
        codes=blocks[order].reshape(-1),
        alphabet=ALPHABET,
        train_length=int(TRAIN * len(blocks)) * BLOCK,
        validation_length=int(VALIDATION * len(blocks)) * BLOCK,
    )
