"""Episodes: drawn from the seed alone, inside one alphabet, never from another split."""

import numpy as np
import pytest
import torch
from torch.func import vmap
from torch.fx.experimental.proxy_tensor import make_fx

from engine.data.class_images import SPLITS, class_images
from engine.data.class_tensors import class_tensors, load_class_tensors
from engine.inner_tasks.episodes import Episodes

CPU = torch.device("cpu")
SEEDS = range(60)


def numbered(classes: int, instances: int, first: int) -> dict[str, list[np.ndarray]]:
    """Images 4 × 4 whose first pixel is the class and whose second is the instance."""
    found = {}
    for number in range(first, first + classes):
        images = np.zeros((instances, 4, 4), np.uint8)
        images[:, 0, 0], images[:, 0, 1] = number, np.arange(instances)
        found[f"class {number}"] = list(images)
    return found


DATA = class_images(
    [
        ("first", 0, numbered(6, 9, 0)),
        ("small", 0, numbered(3, 9, 6)),
        ("poor", 0, numbered(6, 4, 9)),
        ("second", 0, numbered(8, 7, 15)),
        ("validation", 1, numbered(5, 9, 23)),
        ("test", 2, numbered(5, 9, 28)),
    ]
)


def episodes(split: int = 0, **options) -> Episodes:
    data = class_tensors(DATA, image_size=None, device=CPU)
    sizes = {"ways": 4, "shots": 2, "queries": 3, **options}
    return Episodes(data, split, **sizes, dtype=torch.float64)


def drawn(found: Episodes, seed: int):
    """Class and instance of every image, as [ways, shots + queries] each."""
    seed = torch.tensor(seed)
    parts = (found.support(seed), found.query(seed))
    pixels = [
        found.as_bytes(part.inputs)[:, 0, 0, :2].long().unflatten(0, (found.ways, -1))
        for part in parts
    ]
    together = torch.cat(pixels, 1)
    return together[..., 0], together[..., 1]


def test_an_episode_has_different_images_of_different_classes_of_one_alphabet():
    found = episodes()
    alphabets, first_labels = set(), set()
    for seed in SEEDS:
        classes, instances = drawn(found, seed)
        assert (classes == classes[:, :1]).all()
        assert len(set(classes[:, 0].tolist())) == 4
        assert all(len(set(row)) == 5 for row in instances.tolist())
        [alphabet] = {DATA.group[number] for number in classes[:, 0].tolist()}
        alphabets.add(DATA.groups[alphabet])
        first_labels |= set(torch.nonzero(classes[:, 0] == 0).flatten().tolist())
    assert alphabets == {"first", "second"}, "small and poor have too few classes or images"
    assert first_labels == {0, 1, 2, 3}, "a label is a position, not a class"


def test_labels_are_positions():
    found = episodes()
    assert found.support(torch.tensor(5)).labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert found.query(torch.tensor(5)).labels.tolist() == [i // 3 for i in range(12)]


@pytest.mark.parametrize("dataset", ["numbered", "dejavu"])
def test_no_class_is_in_two_splits(dataset: str):
    data = load_class_tensors("dejavu", image_size=None, device=CPU)
    if dataset == "numbered":
        data = class_tensors(DATA, image_size=None, device=CPU)
    seen = []
    for split in range(len(SPLITS)):
        found = Episodes(data, split, ways=5, shots=1, queries=5, dtype=torch.float32)
        classes = {c for seed in SEEDS for c in found.drawn(torch.tensor(seed))[0].tolist()}
        assert {int(data.data.split[data.data.group[c]]) for c in classes} == {split}
        seen.append(classes)
    assert sum(map(len, seen)) == len(set.union(*seen))


def test_too_large_an_episode_is_refused():
    with pytest.raises(ValueError, match=r"no alphabet for meta-test has 6 classes of 5 images"):
        episodes(2, ways=6)
    assert episodes(2, ways=6, rotations=True).ways == 6


def test_a_turned_class_is_a_class_of_its_own():
    found = episodes(rotations=True, ways=20)
    seed = torch.tensor(3)
    classes, images, turns = found.drawn(seed)
    assert len({*zip(classes.tolist(), turns.tolist(), strict=True)}) == 20
    assert set(turns.tolist()) == {0, 1, 2, 3}
    shown = found.as_bytes(found.support(seed).inputs).unflatten(0, (20, 2))[:, :, 0]
    for way, turn in enumerate(turns.tolist()):
        original = torch.from_numpy(DATA.images)[images[way, :2]]
        assert torch.equal(shown[way], original.rot90(turn, (1, 2)))
    names = found.names(seed)
    assert len(set(names)) == 20
    assert all(name.endswith("°)") == (turn > 0) for name, turn in zip(names, turns, strict=True))


@pytest.mark.parametrize("rotations", [False, True])
def test_the_same_under_vmap_and_in_a_trace(rotations: bool):
    found = episodes(rotations=rotations)
    seeds = torch.arange(5)
    one_by_one = torch.stack([found.query(seed).inputs for seed in seeds])
    assert torch.equal(vmap(lambda seed: found.query(seed).inputs)(seeds), one_by_one)
    traced = make_fx(lambda seed: found.query(seed).inputs)(seeds[0])
    assert torch.equal(traced(seeds[4]), one_by_one[4])


def test_images_are_averaged_to_a_smaller_size_and_standardised_by_channel():
    rng = np.random.default_rng(0)
    images = {f"{i}": list(rng.integers(0, 256, (3, 6, 6, 3), np.uint8)) for i in range(2)}
    data = class_images([("one", 0, images), ("two", 2, images)])
    small = class_tensors(data, image_size=3, device=CPU)
    expected = torch.from_numpy(data.images[0].reshape(3, 2, 3, 2, 3).mean((1, 3)))
    assert small.pixels.shape == (12, 3, 3, 3)
    assert (small.pixels[0].movedim(0, 2) - expected).abs().max() <= 0.5
    found = Episodes(small, 0, ways=2, shots=3, queries=0, dtype=torch.float64)
    inputs = found.support(torch.tensor(0)).inputs
    assert inputs.mean((0, 2, 3)).abs().max() < 1e-12
    assert (inputs.std((0, 2, 3), correction=0) - 1).abs().max() < 1e-12
