"""Austen: her six novels, four million characters, in the public domain.

They come in the Debian package `r-cran-janeaustenr`, as R keeps data: records of a 32-bit length
and a zlib stream, each of which is a vector of lines in R's serialisation (XDR: big-endian; see "R
Internals", section 1.8).
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from engine.data import debian, text
from engine.data.cache import Progress
from engine.data.errors import DataError
from engine.data.from_packages import FromPackages
from engine.data.package_clients import Package, apt

PACKAGE = Package(
    name="r-cran-janeaustenr",
    version="1.0.0-1",
    file="r-cran-janeaustenr_1.0.0-1_all.deb",
    bytes=1_626_392,
    sha256="df6bddf211906d1ff404f8ff662c21b34e6660e7f54a311084e749050c019c95",
)
INSIDE = "usr/lib/R/site-library/janeaustenr/data/Rdata.rdb"
STRINGS, CHARACTERS = 16, 9
"""R's type numbers of a vector of strings, and of one string."""


def make(packages: dict[str, Path], progress: Progress) -> str:
    [package] = packages.values()
    raw = debian.extract(package, {INSIDE: INSIDE})[INSIDE]
    novels = ["\n".join(strings(record)) + "\n" for record in records(raw)]
    return "\n".join(novels)


def records(raw: bytes) -> Iterator[bytes]:
    """The records of an .rdb file, unpacked. Raises `DataError` where they are damaged."""
    while raw:
        unpacker = zlib.decompressobj()
        try:
            record = unpacker.decompress(raw[4:])
        except zlib.error as error:
            raise DataError(f"a record of R's data is damaged: {error}") from None
        if not unpacker.eof or raw[:4] != struct.pack(">I", len(record)):
            raise DataError("a record of R's data is cut")
        yield record
        raw = unpacker.unused_data


def strings(record: bytes) -> list[str]:
    """The vector of strings in a record of version 3 of R's serialisation."""
    try:
        form, version = record[:2], struct.unpack_from(">i", record, 2)[0]
        encoding = struct.unpack_from(">i", record, 14)[0]
        place = 18 + encoding
        kind, count = struct.unpack_from(">ii", record, place)
        if (form, version, kind & 0xFF) != (b"X\n", 3, STRINGS):
            raise DataError("a record of R's data is not a vector of strings")
        place += 8
        found = []
        for _ in range(count):
            kind, length = struct.unpack_from(">ii", record, place)
            if kind & 0xFF != CHARACTERS or length < 0:
                raise DataError("a vector of R's strings holds something else")
            found.append(record[place + 8 : place + 8 + length].decode("utf-8"))
            place += 8 + length
    except (struct.error, UnicodeDecodeError) as error:
        raise DataError(f"a record of R's data is damaged: {error}") from None
    return found


SET = FromPackages(
    "austen", "The text of Austen's novels", text, packages=[PACKAGE], client=apt, make=make
)
"""4.03 million characters: from Emma to Sense and Sensibility."""
TITLE, available, load, fetch = SET.title, SET.available, SET.load, SET.fetch
