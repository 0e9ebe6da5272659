"""The glyphs, from small packages that the test makes: fetched, drawn, and gone on with."""

import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engine import data
from engine.data import DataError, dejavu, glyphs
from engine.data.package_clients import Package

FACES = {"sans": ["DejaVuSans", "DejaVuSans-Bold"], "serif": ["DejaVuSerif"]}


@pytest.fixture
def archive(tmp_path, monkeypatch, package):
    """A folder of two packages with three faces, from which those that are there are copied."""
    folder = tmp_path / "pool"
    folder.mkdir()
    packages, faces = [], []
    for name, fonts in FACES.items():
        paths = {f"usr/share/{font}.ttf": dejavu._folder() / f"{font}.ttf" for font in fonts}
        inside = {path: file.read_bytes() for path, file in paths.items()}
        made = package(folder / f"{name}_1.0_all.deb", inside).read_bytes()
        faces += [[name, path, 0] for path in paths]
        sha256 = hashlib.sha256(made).hexdigest()
        packages.append(Package(name, "1.0", f"{name}_1.0_all.deb", len(made), sha256))
    drawn_by = {"latin_upper": [0, 1, 2], "georgian": [0, 2]}
    known = {"faces": faces, "alphabets": drawn_by}
    monkeypatch.setattr(glyphs, "_faces", lambda: known)
    monkeypatch.setattr(glyphs, "ALPHABETS", {"latin_upper": (0, "AB字"), "georgian": (2, "ა")})
    monkeypatch.setattr(glyphs, "FEWEST_FACES", 2)

    def copy(wanted, into, progress):
        for each in wanted:
            if not (folder / each.file).is_file():
                raise DataError(f"the archive has no {each.name}")
            shutil.copy(folder / each.file, into)
            progress(f"downloading {each.name}", each.bytes, each.bytes)

    monkeypatch.setattr(glyphs.SET, "packages", packages)
    monkeypatch.setattr(glyphs.SET, "client", copy)
    return folder


def test_the_letters_that_the_faces_have_are_drawn(archive, cache):
    seen = []
    assert "8 images of 3 classes" in data.fetch("glyphs", lambda *step: seen.append(step))
    letters = data.load_classes("glyphs")
    assert (letters.groups, letters.names) == (("latin_upper", "georgian"), ("A", "B", "ა"))
    assert letters.count.tolist() == [3, 3, 2]
    assert letters.split.tolist() == [0, 2]
    assert letters.images.shape == (8, 28, 28)
    assert len(np.unique(letters.images, axis=0)) == 8
    assert any("downloading serif" in what for what, _, _ in seen)
    assert seen[-1][0] == "drawing georgian"
    assert seen[-1][1] == seen[-1][2]
    assert "already" in data.fetch("glyphs")
    assert [path.name for path in (cache / "glyphs").iterdir()] == ["glyphs.npz"]


def test_an_interrupted_fetch_goes_on_where_it_was(archive, cache):
    (archive / "serif_1.0_all.deb").rename(archive / "elsewhere")
    with pytest.raises(
        DataError, match=r"has no serif\)\. Place serif_1\.0_all\.deb in .*packages"
    ):
        data.fetch("glyphs")
    kept = cache / "glyphs" / "packages" / "sans_1.0_all.deb"
    assert kept.is_file()
    (archive / "sans_1.0_all.deb").unlink()
    (archive / "elsewhere").rename(archive / "serif_1.0_all.deb")
    assert "8 images" in data.fetch("glyphs")
    assert not kept.exists()


def test_a_package_that_is_not_what_it_should_be_is_refused_and_fetched_again(archive, cache):
    folder = cache / "glyphs" / "packages"
    folder.mkdir(parents=True)
    (folder / "sans_1.0_all.deb").write_bytes(b"cut")
    whole = (archive / "serif_1.0_all.deb").read_bytes()
    (archive / "serif_1.0_all.deb").write_bytes(whole[:-1])
    with pytest.raises(DataError, match=r"what came was damaged.*Place serif_1\.0_all\.deb in"):
        data.fetch("glyphs")
    assert not data.available("glyphs")
    (archive / "serif_1.0_all.deb").write_bytes(whole)
    assert "8 images" in data.fetch("glyphs")


def test_two_fetches_at_once_leave_one_whole_set(archive):
    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(lambda _: data.fetch("glyphs"), range(2)))
    assert "already" in said[1] or "already" in said[0]
    assert len(data.load_classes("glyphs").images) == 8


def test_a_damaged_set_is_drawn_again(archive, cache):
    data.fetch("glyphs")
    path = cache / "glyphs" / "glyphs.npz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"glyphs\.npz is damaged"):
        data.load_classes("glyphs")
    assert "8 images" in data.fetch("glyphs")
    assert len(data.load_classes("glyphs").images) == 8


def test_every_alphabet_is_known_with_its_faces_and_packages():
    known = glyphs._faces()
    assert set(known["alphabets"]) == set(glyphs.ALPHABETS)
    assert len(known["packages"]) == 57
    assert {package for package, _, _ in known["faces"]} <= {name for name, *_ in known["packages"]}
    letters = {name: letters for name, (_, letters) in glyphs.ALPHABETS.items()}
    assert len(letters["kanji_jis1"]) == 2965
    assert len(letters["hangul"]) == 2350
    assert all(len(set(each)) == len(each) for each in letters.values())
