"""MNIST-1D: 5,000 signals of 40 points, 10 classes; generated, then kept in the cache.

Source: Greydanus and Kobak, Scaling down deep learning with MNIST-1D, ICML 2024.
"""

import hashlib
import random
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from engine.data.arrays import Arrays
from engine.data.cache import Progress, data_folder, publish, silent, staging
from engine.data.errors import DataError

TITLE = "MNIST-1D"
FILE = "mnist1d.npz"
TRAIN = 3000
DECIMALS = 5
SHA256 = "829039a9e23b17046397da0ccbb27de8c7d71bcd6945d506bd40ff40b1c6bfba"
"""Of the six arrays' bytes. Rounded to five decimals, they are the same on every machine: what
remains of a difference in the last bits of a logarithm or a sum is rounded away."""


def available() -> bool:
    return True


def fetch(progress: Progress) -> str:
    path = _path()
    if _read(path) is not None:
        return f"{TITLE} is already in {path.parent}."
    _save(_generate(progress), path)
    return f"{TITLE} was generated in {path.parent}."


def load() -> Arrays:
    """3,000 training and 1,000 validation signals, both of the generator's training part, and 1,000
    of its test part; generated at the first call (about 2 s)."""
    arrays = _read(_path())
    if arrays is None:
        arrays = _generate(silent)
        _save(arrays, _path())
    return arrays


def _path() -> Path:
    return data_folder() / "mnist1d" / FILE


def _generate(progress: Progress) -> Arrays:
    """The package's own generator with its own seed; the global random state is left as it was."""
    from mnist1d.data import get_dataset_args, make_dataset

    progress(f"generating {TITLE}", 0, 0)
    before, numpy_before = random.getstate(), np.random.get_state()
    try:
        made = make_dataset(get_dataset_args())
    finally:
        random.setstate(before)
        np.random.set_state(numpy_before)
    signals, test = (made[part].round(DECIMALS).astype(np.float32) for part in ("x", "x_test"))
    labels, test_labels = (made[part].astype(np.int64) for part in ("y", "y_test"))
    arrays = Arrays(
        signals[:TRAIN], labels[:TRAIN], signals[TRAIN:], labels[TRAIN:], test, test_labels
    )
    if _sha256(arrays) != SHA256:
        raise DataError(
            f"{TITLE} came out with sha256 {_sha256(arrays)}, expected {SHA256}: "
            "install the pinned versions of mnist1d, numpy and scipy"
        )
    return arrays


def _save(arrays: Arrays, path: Path) -> None:
    with staging(path.parent) as temporary:
        np.savez(temporary / FILE, **vars(arrays))
        publish(temporary, path.parent)


def _read(path: Path) -> Arrays | None:
    """The cached arrays, or nothing where there are none or they are damaged."""
    try:
        with np.load(path) as stored:
            arrays = Arrays(**stored)
    except (OSError, ValueError, TypeError, EOFError, BadZipFile):
        return None
    return arrays if _sha256(arrays) == SHA256 else None


def _sha256(arrays: Arrays) -> str:
    digest = hashlib.sha256()
    for array in vars(arrays).values():
        digest.update(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()
