"""Real data for the inner tasks: loaded, checked, and fetched by one command where needed.

Importing this package imports neither torch nor scikit-learn.
"""

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.data.arrays import Arrays
from engine.data.cache import Progress, data_folder, silent
from engine.data.class_images import ClassImages
from engine.data.errors import DataError, DataMissing
from engine.data.text import Text

ARRAYS = ("digits", "mnist1d", "fashion_mnist")
"""Sets of labelled examples: `load`."""
CLASSES = ("dejavu", "glyphs", "emoji", "omniglot", "mini_imagenet", "cifar100")
"""Sets of images by class and alphabet, for few-shot episodes: `load_classes`."""
TEXTS = ("descriptions", "shakespeare", "austen", "penn_treebank")
"""Texts for language models: `load_text`."""
NAMES = (*ARRAYS, *CLASSES, *TEXTS)
LOCAL = ("omniglot", "mini_imagenet", "cifar100", "penn_treebank")
"""Sets that may not be passed on: they are converted from a folder of the user's."""

__all__ = [
    "ARRAYS",
    "CLASSES",
    "LOCAL",
    "NAMES",
    "TEXTS",
    "Arrays",
    "ClassImages",
    "DataError",
    "DataMissing",
    "Progress",
    "Text",
    "available",
    "data_folder",
    "fetch",
    "fetch_command",
    "load",
    "load_classes",
    "load_text",
    "title",
]


def available(name: str) -> bool:
    """Whether `name` can be loaded on this machine as it is."""
    return _source(name, NAMES).available()


def title(name: str) -> str:
    """What the data set `name` is called."""
    return _source(name, NAMES).TITLE


def fetch_command(name: str) -> str:
    """The one command that brings the data set `name` to this machine."""
    folder = " --data-dir FOLDER" if name in LOCAL else ""
    return f"python -m engine fetch {name}{folder}"


def fetch(name: str, progress: Progress = silent, folder: Path | None = None) -> str:
    """Bring the data set to this machine, verified; repeatable, and safe in two processes at once.

    `progress(what, done, total)` is called with bytes done and in all. `folder` is where the files
    of one of `LOCAL` lie in their usual form. Returns a sentence that says what was done. Raises
    `DataError` with what to place where, if nothing could be fetched.
    """
    source = _source(name, NAMES)
    if name in LOCAL:
        return source.fetch(progress, folder)
    if folder is not None:
        raise DataError(
            f"--data-dir: {name!r} is fetched by itself; allowed with: {', '.join(LOCAL)}"
        )
    return source.fetch(progress)


def load(name: str) -> Arrays:
    """The labelled examples `name`, one of `ARRAYS`; `DataMissing` where it must be fetched."""
    return _load(name, ARRAYS)


def load_classes(name: str) -> ClassImages:
    """The images by class `name`, one of `CLASSES`; `DataMissing` where it must be fetched."""
    return _load(name, CLASSES)


def load_text(name: str) -> Text:
    """The text `name`, one of `TEXTS`; `DataMissing` where it must be fetched."""
    return _load(name, TEXTS)


def _load(name: str, names: tuple[str, ...]) -> Any:
    source = _source(name, names)
    if not source.available():
        raise DataMissing(
            f"{source.TITLE} is not on this machine yet; fetch it with: {fetch_command(name)}"
        )
    return source.load()


def _source(name: str, names: tuple[str, ...]) -> ModuleType:
    if name not in names:
        raise DataError(f"no data set is called {name!r}; there are: {', '.join(names)}")
    return import_module(f"engine.data.{name}")
