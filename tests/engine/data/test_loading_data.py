"""Shapes, ranges and splits of the data sets, and what is said where one is missing."""

import subprocess
import sys

import numpy as np
import pytest

from engine import data
from engine.data import DataError, DataMissing, mnist1d
from engine.spec.inner_tasks.images import EXAMPLE_SHAPES, TRAIN_EXAMPLES, VALIDATION_EXAMPLES


@pytest.mark.parametrize("name", ["digits", "mnist1d"])
def test_shapes_labels_and_scale(name):
    arrays = data.load(name)
    shape = EXAMPLE_SHAPES[name]
    assert arrays.train_inputs.shape == (TRAIN_EXAMPLES[name], *shape)
    assert arrays.validation_inputs.shape == (VALIDATION_EXAMPLES[name], *shape)
    assert arrays.test_inputs.shape == (len(arrays.test_labels), *shape)
    for inputs in (arrays.train_inputs, arrays.validation_inputs, arrays.test_inputs):
        assert inputs.dtype == np.float32
        assert abs(inputs.mean()) < 0.02
        assert abs(inputs.std() - 1) < 0.02
    for labels in (arrays.train_labels, arrays.validation_labels, arrays.test_labels):
        assert labels.dtype == np.int64
        assert set(labels) == set(range(10))


def test_digits_are_split_without_overlap_and_always_the_same_way():
    first, second = data.load("digits"), data.load("digits")
    assert first.train_inputs.tobytes() == second.train_inputs.tobytes()
    everything = np.concatenate([first.train_labels, first.validation_labels, first.test_labels])
    assert np.bincount(everything).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_mnist1d_is_cached_and_leaves_the_global_random_state_alone(cache):
    np.random.seed(7)
    expected = np.random.RandomState(7).rand()
    generated = data.load("mnist1d")
    assert np.random.rand() == expected
    cached = cache / "mnist1d" / "mnist1d.npz"
    assert [path.name for path in cache.iterdir()] == ["mnist1d"]
    before = cached.stat().st_mtime_ns
    again = data.load("mnist1d")
    assert cached.stat().st_mtime_ns == before
    assert again.train_inputs.tobytes() == generated.train_inputs.tobytes()


def test_a_damaged_mnist1d_cache_is_generated_again(cache):
    data.fetch("mnist1d")
    cached = cache / "mnist1d" / "mnist1d.npz"
    cached.write_bytes(cached.read_bytes()[:1000])
    assert mnist1d._sha256(data.load("mnist1d")) == mnist1d.SHA256
    assert "already" in data.fetch("mnist1d")


def test_a_missing_set_names_itself_and_the_command():
    assert not data.available("fashion_mnist")
    with pytest.raises(DataMissing) as caught:
        data.load("fashion_mnist")
    assert str(caught.value) == (
        "Fashion-MNIST is not on this machine yet; "
        "fetch it with: python -m engine fetch fashion_mnist"
    )


def test_an_unknown_set_is_refused_with_the_names_there_are():
    with pytest.raises(DataError, match="'cifar'; there are: digits, mnist1d, fashion_mnist"):
        data.available("cifar")


@pytest.mark.parametrize("zipped", [False, True])
def test_idx_files_placed_by_the_user_are_loaded(cache, place, zipped):
    place(cache / "fashion_mnist", zipped=zipped)
    assert data.available("fashion_mnist")
    arrays = data.load("fashion_mnist")
    assert arrays.train_inputs.shape == (25, 28, 28)
    assert arrays.validation_labels.tolist() == [n % 10 for n in range(25, 30)]
    assert arrays.test_labels.tolist() == [n % 10 for n in range(30)]
    assert abs(arrays.train_inputs.std() - 1) < 1e-4


def test_idx_files_that_disagree_are_refused(cache, place):
    place(cache / "fashion_mnist", images=30, labels=29)
    with pytest.raises(DataError, match="30 images and 29 labels"):
        data.load("fashion_mnist")


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda raw: raw[:-5], "cut or damaged"),
        (lambda raw: b"\x00\x00\x0d" + raw[3:], "not an idx file"),
        (lambda raw: b"", "not an idx file"),
    ],
)
def test_a_damaged_idx_file_is_named(cache, place, damage, problem):
    folder = cache / "fashion_mnist"
    place(folder)
    path = folder / "t10k-images-idx3-ubyte"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=f"t10k-images-idx3-ubyte.*{problem}"):
        data.load("fashion_mnist")


def test_importing_the_package_imports_no_torch():
    code = (
        "import sys; from engine import data; data.available('fashion_mnist'); "
        "sys.exit('torch' in sys.modules or 'sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
