"""Files out of a Debian package, unpacked without dpkg."""

import tarfile
from io import BytesIO
from pathlib import Path

from engine.data.errors import DataError

MAGIC = b"!<arch>\n"


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
