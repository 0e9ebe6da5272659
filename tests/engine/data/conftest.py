"""An empty cache for every test; small files such as a user would place or a site would serve."""

import gzip
import io
import struct
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The folder that MLAB_DATA names; it does not exist yet."""
    monkeypatch.setenv("MLAB_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def place():
    """A function that writes four small files of random images into a folder."""
    return _place


def _place(folder, *, images=30, labels=30, zipped=False) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    for part in ("train", "t10k"):
        contents = {
            f"{part}-images-idx3-ubyte": generator.integers(0, 256, (images, 28, 28)),
            f"{part}-labels-idx1-ubyte": np.arange(labels) % 10,
        }
        for name, array in contents.items():
            raw = _idx_bytes(array)
            path = folder / (f"{name}.gz" if zipped else name)
            path.write_bytes(gzip.compress(raw) if zipped else raw)


def _idx_bytes(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments) -> None:
        pass


@pytest.fixture
def serve():
    """A function that serves a folder over HTTP, and returns its address."""
    servers = []

    def start(folder) -> str:
        handler = partial(QuietHandler, directory=str(folder))
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def package():
    """A function that writes a Debian package."""
    return _package


def _package(path, files: dict[str, bytes]):
    """A Debian package as dpkg-deb lays it out: an ar archive of a version and a tar.xz."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:xz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"./{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    raw = bytearray(b"!<arch>\n")
    for name, content in {"debian-binary": b"2.0\n", "data.tar.xz": archive.getvalue()}.items():
        raw += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        raw += content + b"\n" * (len(content) % 2)
    path.write_bytes(raw)
    return path
