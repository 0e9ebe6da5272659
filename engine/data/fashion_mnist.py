"""Fashion-MNIST: 60,000 + 10,000 grey images of 28 × 28, 10 classes; fetched once (31 MB).

Source: Xiao, Rasul and Vollgraf, Fashion-MNIST, 2017 (MIT licence). The files come from the Debian
package `dataset-fashion-mnist`, or from the data set's public repository; either way what is
kept is what matches the checksums below.
"""

import gzip
import hashlib
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from engine.data import debian, idx, package_clients
from engine.data.arrays import Arrays, standardised
from engine.data.cache import Progress, data_folder, publish, staging
from engine.data.download import read_address
from engine.data.errors import DataError
from engine.data.package_clients import Package

TITLE = "Fashion-MNIST"
SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
"""Of the unpacked idx files: the same whichever way they were compressed and shipped."""
PACKAGE = Package(
    name="dataset-fashion-mnist",
    version="0.0~git20200523.55506a9-1",
    file="dataset-fashion-mnist_0.0~git20200523.55506a9-1_all.deb",
    bytes=30_900_652,
    sha256="39e172fe32dd318ebb3e512220c3beea2fa47d7e20bab348fb4e0922d6beefc0",
)
PACKAGE_FOLDER = "usr/share/datasets/fashion-mnist"
PUBLIC_ADDRESS = (
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion"
)
CLASSES = 10
VALIDATION_SHARE = 6
"""One in so many of the training images, the last ones, is kept for validation."""

Source = Callable[[Path, Progress], dict[str, bytes]]


def folder() -> Path:
    """Where the four idx files lie, gzipped or not: fetched, or placed there by the user."""
    return data_folder() / "fashion_mnist"


def available() -> bool:
    return all(idx.find(folder(), name) for name in SHA256)


def load() -> Arrays:
    """50,000 training and 10,000 validation images, the first and the last of the training file,
    and the 10,000 images of the test file."""
    files = {name: idx.find(folder(), name) for name in SHA256}
    images, labels = _split(files, "train")
    test, test_labels = _split(files, "t10k")
    if images.shape[1:] != test.shape[1:]:
        raise DataError(f"training and test images in {folder()} differ in size")
    kept = len(images) - len(images) // VALIDATION_SHARE
    train, validation, test = standardised(images[:kept], images[kept:], test)
    return Arrays(train, labels[:kept], validation, labels[kept:], test, test_labels)


def fetch(progress: Progress) -> str:
    if available() and not _mismatches(
        {name: idx.content(idx.find(folder(), name)) for name in SHA256}
    ):
        return f"{TITLE} is already in {folder()}."
    reasons = []
    for source in (_from_debian, _from_public_address):
        with staging(folder()) as temporary:
            try:
                contents = source(temporary, progress)
            except DataError as error:
                reasons.append(str(error))
                continue
            if wrong := _mismatches(contents):
                reasons.append("; ".join(wrong))
                continue
            staged = temporary / "verified"
            staged.mkdir()
            for name, content in contents.items():
                (staged / name).write_bytes(content)
            publish(staged, folder())
            return f"{TITLE} is in {folder()}, checksums verified."
    raise DataError(
        f"{TITLE} could not be fetched ({'; '.join(reasons)}). "
        f"Place {', '.join(SHA256)}, gzipped or not, in {folder()}."
    )


def _split(files: dict[str, Path], part: str) -> tuple[np.ndarray, np.ndarray]:
    images = idx.read(files[f"{part}-images-idx3-ubyte"], dimensions=3)
    labels = idx.read(files[f"{part}-labels-idx1-ubyte"], dimensions=1)
    if len(images) != len(labels) or not len(labels) or labels.max() >= CLASSES:
        raise DataError(
            f"{folder()} has {len(images):,} images and {len(labels):,} labels for {part!r}; "
            f"there must be as many of both, with labels from 0 to {CLASSES - 1}"
        )
    return images.astype(np.float32) / 255, labels.astype(np.int64)


def _mismatches(contents: dict[str, bytes]) -> list[str]:
    found = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    return [
        f"{name} has sha256 {found[name]}, expected {expected}"
        for name, expected in SHA256.items()
        if found[name] != expected
    ]


def _from_debian(temporary: Path, progress: Progress) -> dict[str, bytes]:
    package_clients.apt([PACKAGE], temporary, progress)
    [package] = temporary.glob("*.deb")
    progress(f"unpacking {PACKAGE.name}", PACKAGE.bytes, PACKAGE.bytes)
    packed = debian.extract(package, {name: f"{PACKAGE_FOLDER}/{name}.gz" for name in SHA256})
    return {name: _unpacked(name, content) for name, content in packed.items()}


def _from_public_address(temporary: Path, progress: Progress) -> dict[str, bytes]:
    contents = {}
    for name in SHA256:
        shown = partial(progress, f"downloading {name}")
        contents[name] = _unpacked(name, read_address(f"{PUBLIC_ADDRESS}/{name}.gz", shown))
    return contents


def _unpacked(name: str, content: bytes) -> bytes:
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name}.gz is damaged: {error}") from None
