"""A real server that speaks S3, over HTTP."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from webapp.supervisor.home import free_port

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}


@contextmanager
def bucket_server(*buckets: str) -> Iterator[str]:
    """Serves empty `buckets`; gives the options that the address of each needs."""
    port = free_port()
    server = subprocess.Popen(
        [Path(sys.executable).parent / "moto_server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for bucket in buckets:
            _make(f"http://127.0.0.1:{port}/{bucket}")
        yield f"endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1"
    finally:
        server.kill()
        server.wait()


def _make(bucket: str) -> None:
    """As soon as the server answers."""
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(bucket, method="PUT"))  # noqa: S310
            return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
