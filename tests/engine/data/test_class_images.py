"""Images by class and alphabet: the set that every machine has, and what a face draws."""

import numpy as np
import pytest

from engine import data
from engine.data import DataError, dejavu
from engine.data.class_images import SPLITS, class_images
from engine.data.rendering import Face


def test_a_set_is_laid_out_class_after_class():
    grey = [np.full((2, 2), value, dtype=np.uint8) for value in range(6)]
    made = class_images(
        [("runes", 0, {"f": grey[:2], "u": grey[2:3]}), ("ogham", 2, {"b": grey[3:]})]
    )
    assert made.images[:, 0, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert made.first.tolist() == [0, 2, 3]
    assert made.count.tolist() == [2, 1, 3]
    assert made.group.tolist() == [0, 0, 1]
    assert (made.groups, made.names) == (("runes", "ogham"), ("f", "u", "b"))
    assert [made.classes_of(split).tolist() for split in range(3)] == [[0, 1], [], [2]]


def test_dejavu_needs_no_download_and_its_splits_have_letters_enough():
    letters = data.load_classes("dejavu")
    assert letters.images.shape == (3756, 28, 28)
    assert letters.images.dtype == np.uint8
    assert [len(letters.classes_of(split)) for split in range(len(SPLITS))] == [218, 33, 71]
    assert letters.count.min() >= dejavu.FEWEST_FACES
    assert letters.count.sum() == len(letters.images)
    assert len(set(letters.names)) == len(letters.names)
    assert "nothing to fetch" in data.fetch("dejavu")


def test_a_letter_fills_the_frame_the_same_way_in_every_face():
    letters = data.load_classes("dejavu")
    height = np.ptp(np.where(letters.images.any(2), np.arange(28), 14), axis=1) + 1
    width = np.ptp(np.where(letters.images.any(1), np.arange(28), 14), axis=1) + 1
    assert np.maximum(height, width).max() == 22
    assert (letters.images.max(axis=(1, 2)) > 128).all()


def test_a_letter_that_a_face_lacks_is_not_drawn():
    face = Face(dejavu._folder() / "DejaVuSans.ttf")
    assert face.draw("A").shape == (28, 28)
    assert face.draw(" ") is None
    assert face.draw("字") is None


def test_each_kind_of_set_has_its_own_loader():
    with pytest.raises(DataError, match="there are: dejavu, glyphs, emoji"):
        data.load_classes("digits")
    with pytest.raises(DataError, match="no data set is called 'dejavu'; there are: digits"):
        data.load("dejavu")
