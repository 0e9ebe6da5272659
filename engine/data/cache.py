"""Where fetched and generated data are kept, and how files get there whole or not at all."""

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.data.errors import DataError

Progress = Callable[[str, int, int], None]
"""Called with what is being done, bytes done, and bytes in all (0 where that is not known)."""


def silent(what: str, done: int, total: int) -> None:
    """A progress callback that says nothing."""


def data_folder() -> Path:
    """The folder named by MLAB_DATA, or `~/.cache/metaopt-lab`."""
    return Path(os.environ.get("MLAB_DATA") or "~/.cache/metaopt-lab").expanduser()


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder`, on the same disk, removed at the end whatever happens."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-")
    except OSError as error:
        raise _not_writable(folder, error) from None
    with temporary as path:
        yield Path(path)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time; the others wait. For work that goes on where one left off."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        file = (folder.parent / f".{folder.name}.lock").open("w")
    except OSError as error:
        raise _not_writable(folder, error) from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def publish(staged: Path, folder: Path) -> None:
    """Move every file of `staged` into `folder`, each in one atomic step.

    Two processes that publish the same verified files at once leave the same files behind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(staged.iterdir()):
        os.replace(path, folder / path.name)


def _not_writable(folder: Path, error: OSError) -> DataError:
    return DataError(
        f"cannot write to {folder.parent} ({error.strerror}); "
        "set MLAB_DATA to a folder that can be written"
    )
