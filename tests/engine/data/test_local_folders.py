"""Sets that may not be passed on, from small folders in their usual form."""

import pickle

import numpy as np
import pytest
from PIL import Image

from engine import data
from engine.data import DataError


def draw(path, value: int, size=(40, 30), mode="L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode == "L" else (value, 0, 255)).save(path)


def test_omniglot_is_split_by_alphabet_and_white_on_black(tmp_path):
    alphabets = {"images_background": [f"A{n}" for n in range(6)], "images_evaluation": ["Z"]}
    for part, names in alphabets.items():
        for name in names:
            for character in range(2):
                for image in range(3):
                    draw(tmp_path / part / name / f"character{character}" / f"{image}.png", 255)
    assert "42 images of 14 classes" in data.fetch("omniglot", folder=tmp_path)
    characters = data.load_classes("omniglot")
    assert characters.images.shape == (42, 28, 28)
    assert not characters.images.any()
    assert characters.split.tolist() == [0, 0, 0, 0, 0, 1, 2]
    assert characters.names[0] == "A0/character0"
    assert "already" in data.fetch("omniglot")


@pytest.mark.parametrize("form", ["folders", "tables"])
def test_mini_imagenet_is_read_in_both_of_its_usual_forms(tmp_path, form):
    for number, part in enumerate(("train", "val", "test")):
        rows = ["filename,label"]
        for label in (f"n{number}0", f"n{number}1"):
            for image in range(2):
                file = f"{label}_{image}.jpg"
                parent = tmp_path / part / label if form == "folders" else tmp_path / "images"
                draw(parent / file, 100 * number, size=(120, 90), mode="RGB")
                rows.append(f"{file},{label}")
        if form == "tables":
            (tmp_path / f"{part}.csv").write_text("\n".join(rows))
    data.fetch("mini_imagenet", folder=tmp_path)
    photographs = data.load_classes("mini_imagenet")
    assert photographs.images.shape == (12, 84, 84, 3)
    assert photographs.names == ("n00", "n01", "n10", "n11", "n20", "n21")
    assert photographs.split.tolist() == [0, 1, 2]
    assert abs(int(photographs.images[-1, 40, 40, 0]) - 200) < 5


def place_cifar(folder, **extra) -> None:
    classes = 40
    for name, count in (("train", 2), ("test", 1)):
        fine = [label for label in range(classes) for _ in range(count)]
        content = {
            "data": np.repeat(np.array(fine, dtype=np.uint8)[:, None], 3072, axis=1),
            "fine_labels": fine,
            "coarse_labels": [label % 20 for label in fine],
        }
        (folder / name).write_bytes(pickle.dumps(content | extra, protocol=2))
    names = {"fine_label_names": [f"thing {label}" for label in range(classes)]}
    (folder / "meta").write_bytes(pickle.dumps(names, protocol=2))


def test_cifar100_is_split_by_superclass(tmp_path):
    place_cifar(tmp_path)
    data.fetch("cifar100", folder=tmp_path)
    images = data.load_classes("cifar100")
    assert images.images.shape == (120, 32, 32, 3)
    assert [len(images.classes_of(split)) for split in range(3)] == [24, 8, 8]
    assert images.count.tolist() == [3] * 40
    held_out = [int(images.names[index].split()[1]) for index in images.classes_of(2)]
    assert {label % 20 for label in held_out} == {0, 7, 12, 14}
    assert all(
        images.images[images.first[c], 0, 0, 0] == int(images.names[c].split()[1])
        for c in range(40)
    )


def test_a_file_that_names_more_than_arrays_is_not_run(tmp_path):
    place_cifar(tmp_path, extra=pytest.raises)
    with pytest.raises(DataError, match=r"which is no array"):
        data.fetch("cifar100", folder=tmp_path)


def test_penn_treebank_is_words_in_its_three_parts(tmp_path):
    for part, text in {
        "train": "no it was n't\n",
        "valid": "it was\n",
        "test": "no <unk>\n",
    }.items():
        (tmp_path / f"ptb.{part}.txt").write_text(text)
    assert "11 words" in data.fetch("penn_treebank", folder=tmp_path)
    text = data.load_text("penn_treebank")
    assert [text.alphabet[code] for code in text.train] == ["no", "it", "was", "n't", "<eos>"]
    assert [text.alphabet[code] for code in text.validation] == ["it", "was", "<eos>"]
    assert [text.alphabet[code] for code in text.test] == ["no", "<unk>", "<eos>"]


@pytest.mark.parametrize("name", data.LOCAL)
def test_without_a_folder_the_message_says_what_it_must_have(name, tmp_path):
    with pytest.raises(
        DataError, match=rf"python -m engine fetch {name} --data-dir FOLDER\. FOLDER has"
    ):
        data.fetch(name)
    with pytest.raises(DataError, match=r"has no .*; expected: "):
        data.fetch(name, folder=tmp_path)
    with pytest.raises(DataError, match="there is no folder"):
        data.fetch(name, folder=tmp_path / "nowhere")
    assert not data.available(name)
    assert data.fetch_command(name) == f"python -m engine fetch {name} --data-dir FOLDER"


def test_a_folder_is_refused_for_a_set_that_is_fetched_by_itself(tmp_path):
    with pytest.raises(
        DataError, match="--data-dir: 'digits' is fetched by itself; allowed with: omni"
    ):
        data.fetch("digits", folder=tmp_path)
