"""The idx format of MNIST and its kin: a short header, then unsigned bytes.

Header: two zero bytes, the element type (8 is unsigned byte), the number of dimensions, then each
dimension as a big-endian 32-bit integer.
"""

import gzip
import zlib
from pathlib import Path

import numpy as np

from engine.data.errors import DataError

UNSIGNED_BYTE = 8


def find(folder: Path, name: str) -> Path | None:
    """The file `name` in `folder`, or its gzipped form, or nothing."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    return None


def content(path: Path) -> bytes:
    """The bytes of the idx file, unpacked where it is gzipped."""
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot read {path}: {error}") from None


def read(path: Path, dimensions: int) -> np.ndarray:
    """uint8 array with that number of dimensions; `DataError` where the file is not one."""
    raw = content(path)
    start = 4 + 4 * dimensions
    if len(raw) < start or raw[:4] != bytes([0, 0, UNSIGNED_BYTE, dimensions]):
        raise DataError(f"{path} is not an idx file of bytes with {dimensions} dimensions")
    shape = np.frombuffer(raw, ">u4", count=dimensions, offset=4).astype(int)
    if len(raw) - start != shape.prod():
        raise DataError(
            f"{path} is cut or damaged: its header announces {shape.prod():,} values, "
            f"it has {len(raw) - start:,}"
        )
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)
