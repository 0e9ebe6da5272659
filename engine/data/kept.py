"""A data set that is kept as one file in the cache, once it has been made on this machine."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from engine.data.cache import data_folder


class Form(Protocol):
    """How a file of some kind is written and read: the modules `class_images` and `text`."""

    SUFFIX: str

    def write(self, content: Any, path: Path) -> str:
        """The file, there whole or not at all. Returns what is in it."""

    def read(self, path: Path) -> Any | None:
        """What it holds, or nothing where there is no such file or it is damaged."""

    def load(self, path: Path) -> Any:
        """What it holds, read once in a process; `DataError` where it is damaged."""


@dataclass
class Kept:
    """What is the same for all such sets; how they are made, each kind of them adds."""

    name: str
    title: str
    form: Form

    @property
    def path(self) -> Path:
        return data_folder() / self.name / f"{self.name}{self.form.SUFFIX}"

    def available(self) -> bool:
        return self.path.is_file()

    def load(self) -> Any:
        return self.form.load(self.path)
