"""Bytes from a public address."""

import urllib.request
from collections.abc import Callable
from http.client import HTTPException

from engine.data.errors import DataError

BLOCK = 1 << 18
PATIENCE_SECONDS = 60


def read_address(address: str, progress: Callable[[int, int], None]) -> bytes:
    """What is at `address`; `progress(done, total)` is called with bytes. Raises `DataError`."""
    content = bytearray()
    try:
        # The addresses are our own; nobody names one.
        with urllib.request.urlopen(address, timeout=PATIENCE_SECONDS) as response:  # noqa: S310  # nosec B310
            total = int(response.headers.get("Content-Length") or 0)
            while block := response.read(BLOCK):
                content += block
                progress(len(content), total)
    except (OSError, HTTPException) as error:
        raise DataError(f"{address}: {getattr(error, 'reason', error)}") from None
    return bytes(content)
