"""An empty cache for every test, and small idx files such as a user would place."""

import gzip
import struct

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The folder that MLAB_DATA names; it does not exist yet."""
    monkeypatch.setenv("MLAB_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def place():
    """A function that writes four small files of random images into a folder."""
    return _place


def _place(folder, *, images=30, labels=30, zipped=False) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    for part in ("train", "t10k"):
        contents = {
            f"{part}-images-idx3-ubyte": generator.integers(0, 256, (images, 28, 28)),
            f"{part}-labels-idx1-ubyte": np.arange(labels) % 10,
        }
        for name, array in contents.items():
            raw = _idx_bytes(array)
            path = folder / (f"{name}.gz" if zipped else name)
            path.write_bytes(gzip.compress(raw) if zipped else raw)


def _idx_bytes(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()
