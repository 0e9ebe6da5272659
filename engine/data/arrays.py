"""A data set in memory, and the scaling that all of them share."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Arrays:
    """Examples and labels, split once and for all into training, validation and test."""

    train_inputs: np.ndarray
    """float32 [N, *shape]; standardised by the training split's mean and deviation."""
    train_labels: np.ndarray
    """int64 [N], 0 to classes − 1."""
    validation_inputs: np.ndarray
    """float32 [M, *shape]; standardised by the training split's mean and deviation."""
    validation_labels: np.ndarray
    """int64 [M], 0 to classes − 1."""
    test_inputs: np.ndarray
    """float32 [K, *shape]: what neither loop sees; standardised likewise."""
    test_labels: np.ndarray
    """int64 [K], 0 to classes − 1."""


def standardised(train: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
    """Every split with the training split's mean (one number) subtracted, over its deviation."""
    mean = train.mean(dtype=np.float64).astype(np.float32)
    deviation = train.std(dtype=np.float64).astype(np.float32)
    return [(split - mean) / deviation for split in (train, *others)]
