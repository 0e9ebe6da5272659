"""Where checkpoints lie: in a folder, or in a bucket of a server that speaks S3.

`CHECKPOINT_ROOT` says which: a path, or `s3://bucket/prefix`. A file appears whole or not at all,
under a name of its run's folder, such as `7/000000120-….pt`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from django.conf import settings

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

S3 = "s3://"
DRAFT = ".draft-"
LONGEST_DRAFT_SECONDS = 6 * 3600.0


class Storage(Protocol):
    """Every method raises `OSError` where the disk or the server refuses."""

    def draft(self) -> AbstractContextManager[Path]:
        """A new folder on this machine, in which to write a file before it is kept."""

    def keep(self, file: Path, name: str) -> None:
        """Move `file` of a draft to `name`: durable, whole or not at all."""

    def local(self, name: str) -> AbstractContextManager[Path]:
        """The file as a path on this machine, for as long as the context lasts."""

    def open(self, name: str) -> BinaryIO:
        """To read it from its beginning to its end."""

    def names(self, folder: str = "") -> list[str]:
        """Every kept file, or those of one folder, in order."""

    def delete(self, name: str) -> None:
        """Nothing happens where it is gone already."""

    def tidy(self) -> None:
        """Delete what killed programs left half written."""


class Folder:
    """On this machine, or on a disk that all workers share."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def draft(self) -> Iterator[Path]:
        self.root.mkdir(parents=True, exist_ok=True)
        # On the same disk, so that keeping it is one rename.
        with tempfile.TemporaryDirectory(prefix=DRAFT, dir=self.root) as folder:
            yield Path(folder)

    def keep(self, file: Path, name: str) -> None:
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
        # A rename is durable once its folder is.
        descriptor = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        yield self.root / name

    def open(self, name: str) -> BinaryIO:
        return (self.root / name).open("rb")

    def names(self, folder: str = "") -> list[str]:
        pattern = f"{folder or '[0-9]*'}/[0-9]*.pt"
        return sorted(str(path.relative_to(self.root)) for path in self.root.glob(pattern))

    def delete(self, name: str) -> None:
        path = self.root / name
        path.unlink(missing_ok=True)
        if path.parent.is_dir() and not any(path.parent.iterdir()):
            shutil.rmtree(path.parent, ignore_errors=True)

    def tidy(self) -> None:
        for folder in self.root.glob(f"{DRAFT}*"):
            with suppress(FileNotFoundError):
                if time.time() - folder.stat().st_mtime > LONGEST_DRAFT_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)


class Bucket:
    """In a bucket. Credentials come as AWS's own tools take them (`AWS_ACCESS_KEY_ID`, …), options
    of another server in the address: `?endpoint_override=host:9000&scheme=http&region=…`."""

    def __init__(self, address: str) -> None:
        # Here: the library starts threads, which must not be before a pool forks.
        from pyarrow import fs

        self.files: FileSystem
        self.files, self.root = fs.FileSystem.from_uri(address)

    @contextmanager
    def draft(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="checkpoint-") as folder:
            yield Path(folder)

    def keep(self, file: Path, name: str) -> None:
        # An object appears when its stream is closed; an upload that breaks off leaves none.
        with file.open("rb") as source, self.files.open_output_stream(self._path(name)) as target:
            shutil.copyfileobj(source, target, 8 * 2**20)
        # A draft that keeps one file after the other needs the space of one.
        file.unlink()

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        with self.draft() as folder:
            path = folder / Path(name).name
            with self.open(name) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target, 8 * 2**20)
            yield path

    def open(self, name: str) -> BinaryIO:
        return self.files.open_input_stream(self._path(name))

    def names(self, folder: str = "") -> list[str]:
        from pyarrow import fs

        chosen = fs.FileSelector(self._path(folder), recursive=True, allow_not_found=True)
        found = (entry.path for entry in self.files.get_file_info(chosen) if entry.is_file)
        return sorted(path.removeprefix(f"{self.root}/") for path in found if path.endswith(".pt"))

    def delete(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self.files.delete_file(self._path(name))

    def tidy(self) -> None:
        """An upload that broke off is the server's to forget: a rule of the bucket says when."""

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}".rstrip("/")


def storage() -> Storage:
    """The one that the settings name."""
    address = str(settings.CHECKPOINT_ROOT)
    return Bucket(address) if address.startswith(S3) else Folder(Path(address).resolve())
