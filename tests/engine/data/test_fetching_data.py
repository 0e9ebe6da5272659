"""Fetching against real local sources: a package file on disk, and files served over HTTP."""

import gzip
import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine import data
from engine.data import DataError, debian, fashion_mnist, package_clients


@pytest.fixture(autouse=True)
def folder(cache, monkeypatch):
    """Where the files go, on a machine without apt."""
    monkeypatch.setattr(package_clients.shutil, "which", lambda program: None)
    return cache / "fashion_mnist"


@pytest.fixture
def site(tmp_path, monkeypatch, place, serve):
    """A public address that serves four small files, with their checksums expected."""
    served = tmp_path / "site"
    place(served, zipped=True)
    sums = {
        name: hashlib.sha256(gzip.decompress((served / f"{name}.gz").read_bytes())).hexdigest()
        for name in fashion_mnist.SHA256
    }
    monkeypatch.setattr(fashion_mnist, "SHA256", sums)
    monkeypatch.setattr(fashion_mnist, "PUBLIC_ADDRESS", serve(served))
    return served


def test_fetch_reports_progress_and_is_repeatable(site, folder):
    seen = []
    said = data.fetch("fashion_mnist", lambda *step: seen.append(step))
    assert said == f"Fashion-MNIST is in {folder}, checksums verified."
    assert sorted(path.name for path in folder.iterdir()) == sorted(fashion_mnist.SHA256)
    assert [path.name for path in folder.parent.iterdir()] == ["fashion_mnist"]
    what, done, total = seen[-1]
    assert "t10k-labels" in what
    assert done == total > 0
    assert data.load("fashion_mnist").train_inputs.shape == (25, 28, 28)
    assert data.fetch("fashion_mnist") == f"Fashion-MNIST is already in {folder}."


def test_a_file_cut_in_the_cache_is_fetched_again(site, folder):
    data.fetch("fashion_mnist")
    path = folder / "train-images-idx3-ubyte"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    assert "verified" in data.fetch("fashion_mnist")
    assert path.read_bytes() == whole


@pytest.mark.parametrize("damage", [lambda raw: gzip.compress(b"other"), lambda raw: raw[:-9]])
def test_a_wrong_file_leaves_nothing_behind(site, folder, damage):
    path = site / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte.*(sha256|damaged)"):
        data.fetch("fashion_mnist")
    assert list(folder.parent.iterdir()) == []
    assert not data.available("fashion_mnist")


def test_without_any_source_the_message_says_what_to_place_where(folder, monkeypatch):
    monkeypatch.setattr(fashion_mnist, "PUBLIC_ADDRESS", "http://127.0.0.1:1")
    with pytest.raises(DataError) as caught:
        data.fetch("fashion_mnist")
    message = str(caught.value)
    assert "no apt-get" in message
    assert "refused" in message
    assert "train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte" in message
    assert message.endswith(f"gzipped or not, in {folder}.")
    assert list(folder.parent.iterdir()) == []


def test_several_fetches_at_once_leave_one_whole_set(site, folder):
    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(lambda _: data.fetch("fashion_mnist"), range(4)))
    assert all(str(folder) in sentence for sentence in said)
    assert data.load("fashion_mnist").train_inputs.shape == (25, 28, 28)
    assert [path.name for path in folder.parent.iterdir()] == ["fashion_mnist"]


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("MLAB_DATA", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"cannot write to .*set MLAB_DATA"):
        data.fetch("fashion_mnist")


def test_a_debian_package_is_unpacked_without_dpkg(tmp_path, package):
    made = package(tmp_path / "made.deb", {"usr/share/a": b"odd", "usr/share/b": b"even"})
    paths = {"first": "usr/share/a", "second": "usr/share/b"}
    assert debian.extract(made, paths) == {"first": b"odd", "second": b"even"}


@pytest.mark.parametrize("damage", [lambda raw: raw[:200], lambda raw: b"", lambda raw: raw[::-1]])
def test_a_damaged_package_is_refused(tmp_path, package, damage):
    made = package(tmp_path / "made.deb", {"usr/share/a": b"content"})
    made.write_bytes(damage(made.read_bytes()))
    with pytest.raises(DataError, match=r"made\.deb"):
        debian.extract(made, {"a": "usr/share/a"})


def test_a_package_without_the_file_is_refused(tmp_path, package):
    made = package(tmp_path / "made.deb", {"usr/share/a": b"content"})
    with pytest.raises(DataError, match="does not hold the expected files"):
        debian.extract(made, {"b": "usr/share/b"})
