"""Files out of Debian packages: downloaded by apt without root, unpacked without dpkg."""

import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from engine.data.cache import Progress
from engine.data.errors import DataError

MAGIC = b"!<arch>\n"
POLL_SECONDS = 0.2
LONGEST_SECONDS = 1800


def download(packages: Sequence[str], folder: Path, size: int, progress: Progress) -> list[Path]:
    """The files that are in `folder` once `packages`, each a name or name=version, are; apt checks
    them against the signed index of its archive.

    `size` is what the progress is measured against. Raises `DataError` where there is no apt, or
    it does not know or cannot reach one of the packages.
    """
    program = shutil.which("apt-get")
    if program is None:
        raise DataError("this machine has no apt-get")
    process = subprocess.Popen(  # noqa: S603 (a fixed program with fixed package names)
        [program, "download", *packages],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    what = packages[0] if len(packages) == 1 else f"{len(packages)} packages"
    try:
        problems = _watched(process, f"downloading {what}", folder, size, progress)
    finally:
        process.kill()
        process.communicate()
    found = list(folder.glob("*.deb"))
    if process.returncode or not found:
        last = (problems.strip().splitlines() or ["no reason given"])[-1]
        raise DataError(f"apt-get could not download {what}: {last}")
    return found


def _watched(
    process: subprocess.Popen[str], what: str, folder: Path, size: int, progress: Progress
) -> str:
    """What the process says on standard error, once it has ended by itself."""
    for _ in range(int(LONGEST_SECONDS / POLL_SECONDS)):
        try:
            return process.communicate(timeout=POLL_SECONDS)[1]
        except subprocess.TimeoutExpired:
            done = sum(path.stat().st_size for path in folder.rglob("*.deb*"))
            progress(what, done, max(size, done))
    raise DataError(f"apt-get did not finish within {LONGEST_SECONDS} s")


def extract(package: Path, paths: dict[str, str]) -> dict[str, bytes]:
    """The content of files inside the package: `paths` maps a name to a path such as usr/share/x.

    Raises `DataError` where the package is damaged or lacks one of them.
    """
    members = _members(package.read_bytes())
    archive = next((raw for name, raw in members.items() if name.startswith("data.tar")), None)
    if archive is None:
        raise DataError(f"{package.name} is not a Debian package")
    try:
        with tarfile.open(fileobj=BytesIO(archive)) as files:
            return {name: files.extractfile(f"./{path}").read() for name, path in paths.items()}
    except (tarfile.TarError, KeyError, AttributeError, EOFError) as error:
        raise DataError(f"{package.name} does not hold the expected files: {error}") from None


def _members(raw: bytes) -> dict[str, bytes]:
    """The files in an ar archive: each has a 60-byte header and starts at an even offset."""
    if not raw.startswith(MAGIC):
        return {}
    members: dict[str, bytes] = {}
    offset = len(MAGIC)
    while offset + 60 <= len(raw):
        name = raw[offset : offset + 16].decode("ascii", "replace").rstrip(" /")
        digits = raw[offset + 48 : offset + 58].strip()
        if not digits.isdigit():
            return {}
        start, size = offset + 60, int(digits)
        members[name] = raw[start : start + size]
        offset = start + size + size % 2
    return members
