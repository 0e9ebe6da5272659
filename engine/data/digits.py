"""Handwritten digits, 1,797 images of 8 × 8, 10 classes; shipped inside scikit-learn.

Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI (1998), its test part.
"""

import numpy as np

from engine.data.arrays import Arrays, standardised
from engine.data.cache import Progress

TITLE = "The digits data set"
TRAIN = 1297
SPLIT_SEED = 0
BRIGHTEST = 16.0


def available() -> bool:
    return True


def fetch(progress: Progress) -> str:
    return f"{TITLE} is part of an installed package; there is nothing to fetch."


def load() -> Arrays:
    """1,297 training and 500 validation images, by a permutation that never changes."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    order = np.random.RandomState(SPLIT_SEED).permutation(len(bunch.target))
    images = (bunch.images[order] / BRIGHTEST).astype(np.float32)
    labels = bunch.target[order].astype(np.int64)
    train, validation = standardised(images[:TRAIN], images[TRAIN:])
    return Arrays(train, labels[:TRAIN], validation, labels[TRAIN:])
