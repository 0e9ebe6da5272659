"""Real data for the inner tasks: loaded, checked, and fetched by one command where needed.

Importing this package imports neither torch nor scikit-learn.
"""

from importlib import import_module
from types import ModuleType

from engine.data.arrays import Arrays
from engine.data.cache import Progress, data_folder, silent
from engine.data.errors import DataError, DataMissing

NAMES = ("digits", "mnist1d", "fashion_mnist")

__all__ = [
    "NAMES",
    "Arrays",
    "DataError",
    "DataMissing",
    "Progress",
    "available",
    "data_folder",
    "fetch",
    "fetch_command",
    "load",
]


def available(name: str) -> bool:
    """Whether `load(name)` finds what it needs on this machine."""
    return _source(name).available()


def fetch_command(name: str) -> str:
    """The one command that brings the data set `name` to this machine."""
    return f"python -m engine fetch {name}"


def fetch(name: str, progress: Progress = silent) -> str:
    """Bring the data set to this machine, verified; repeatable, and safe in two processes at once.

    `progress(what, done, total)` is called with bytes done and in all. Returns a sentence that says
    what was done. Raises `DataError` with what to place where, if nothing could be fetched.
    """
    return _source(name).fetch(progress)


def load(name: str) -> Arrays:
    """The data set `name`; `DataMissing` where it must be fetched first."""
    source = _source(name)
    if not source.available():
        raise DataMissing(
            f"{source.TITLE} is not on this machine yet; fetch it with: {fetch_command(name)}"
        )
    return source.load()


def _source(name: str) -> ModuleType:
    if name not in NAMES:
        raise DataError(f"no data set is called {name!r}; there are: {', '.join(NAMES)}")
    return import_module(f"engine.data.{name}")
