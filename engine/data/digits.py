"""Handwritten digits, 1,797 images of 8 × 8, 10 classes; shipped inside scikit-learn.

Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI (1998), its test part.
"""

import numpy as np

from engine.data.arrays import Arrays, standardised
from engine.data.cache import Progress

TITLE = "The digits data set"
TRAIN = 997
TEST = 300
SPLIT_SEED = 0
BRIGHTEST = 16.0


def available() -> bool:
    return True


def fetch(progress: Progress) -> str:
    return f"{TITLE} is part of an installed package; there is nothing to fetch."


def load() -> Arrays:
    """997 training, 500 validation and 300 test images, by a permutation that never changes."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    order = np.random.RandomState(SPLIT_SEED).permutation(len(bunch.target))
    images = (bunch.images[order] / BRIGHTEST).astype(np.float32)
    labels = bunch.target[order].astype(np.int64)
    cuts = [TRAIN, TRAIN + TEST]
    train, test, validation = standardised(*np.split(images, cuts))
    train_labels, test_labels, validation_labels = np.split(labels, cuts)
    return Arrays(train, train_labels, validation, validation_labels, test, test_labels)
