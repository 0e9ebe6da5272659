"""Learned augmentation: transforms that torch differentiates twice, and exact meta-gradients."""

import numpy as np
import pytest
import torch
from torch.func import vmap

from engine.meta_parameters.image_transforms import sampled, warped
from engine.spec import SpecError, validate
from tests.engine.finite_differences import assert_exact, assert_implicit_is_exact, built

SMALL = {"activation": "tanh", "batch_size": 6, "train_examples": 30, "validation_examples": 20}
MLP = {"kind": "image_mlp", "hidden": [3], **SMALL}
CNN = {"kind": "image_cnn", "channels": [2, 2], **SMALL}
LOGISTIC = {"kind": "image_mlp", "hidden": [], **SMALL}
MAGNITUDES = {"kind": "augmentation_magnitudes", "initial": 0.3}
NETWORK = {"kind": "augmentation_network", "channels": 2}


def changed_network(problem):
    """θ away from its start, where the second layer is zero and the first has no gradient."""
    source = torch.Generator().manual_seed(1)
    return {
        name: leaf + 0.2 * torch.randn(leaf.shape, generator=source, dtype=leaf.dtype)
        for name, leaf in problem.initial_meta(0).items()
    }


@pytest.mark.parametrize(("task", "item"), [(CNN, MAGNITUDES), (MLP, NETWORK)], ids=str)
def test_meta_gradients_are_exact(task, item) -> None:
    problem = built(task, item)
    assert_exact(problem, changed_network(problem) if item is NETWORK else None)


@pytest.mark.parametrize("item", [MAGNITUDES, NETWORK], ids=["magnitudes", "network"])
def test_implicit_differentiation_is_exact_at_the_stationary_point(item) -> None:
    decay = {"kind": "sgd", "weight_decay": 0.1}
    assert_implicit_is_exact(built(LOGISTIC, item, optimizer=decay, objective="final"))


def test_a_network_starts_as_no_change_and_magnitudes_of_nothing_change_nothing() -> None:
    problem = built(CNN, NETWORK)
    plain = problem.task.batch(torch.tensor(3), 2)
    (network,) = problem.meta_parameters
    changed = network.batch(problem.initial_meta(0), plain, torch.tensor(3), 2)
    assert torch.equal(changed.inputs, plain.inputs)
    problem = built(CNN, MAGNITUDES)
    (magnitudes,) = problem.meta_parameters
    nothing = {name: torch.full_like(leaf, -60.0) for name, leaf in problem.initial_meta(0).items()}
    changed = magnitudes.batch(nothing, plain, torch.tensor(3), 2)
    torch.testing.assert_close(changed.inputs, plain.inputs)
    assert torch.equal(changed.labels, plain.labels)


def test_what_is_random_depends_on_seed_and_step_alone() -> None:
    problem = built(MLP, MAGNITUDES)
    (item,) = problem.meta_parameters
    meta, plain = problem.initial_meta(0), problem.task.batch(torch.tensor(0), 0)

    def inputs(seed, t):
        return item.batch(meta, plain, torch.as_tensor(seed), t).inputs

    assert torch.equal(inputs(3, 7), inputs(3, torch.tensor(7)))
    assert not torch.equal(inputs(3, 7), inputs(3, 8))
    assert not torch.equal(inputs(3, 7), inputs(4, 7))
    together = vmap(lambda seed: inputs(seed, 7))(torch.arange(3))
    torch.testing.assert_close(together[1], inputs(1, 7))


def test_a_warp_moves_pixels_where_the_geometry_says() -> None:
    image = torch.arange(36.0, dtype=torch.float64).reshape(1, 6, 6).sin()
    still = dict.fromkeys(("rotation", "scale", "shear", "down", "right"), torch.zeros(1))
    still = {name: zero.double() for name, zero in still.items()}
    torch.testing.assert_close(warped(image, **still), image)
    down = warped(image, **{**still, "down": torch.tensor([2 / 6], dtype=torch.float64)})
    torch.testing.assert_close(down[:, :5], image[:, 1:])
    right = warped(image, **{**still, "right": torch.tensor([4 / 6], dtype=torch.float64)})
    torch.testing.assert_close(right[:, :, :4], image[:, :, 2:])
    quarter = torch.tensor([torch.pi / 2], dtype=torch.float64)
    turned = warped(image, **{**still, "rotation": quarter})
    torch.testing.assert_close(turned, image.rot90(1, (1, 2)))


def test_between_pixels_and_outside_it_reads_as_torch_does() -> None:
    source = torch.Generator().manual_seed(0)
    image = torch.randn(2, 5, 4, generator=source, dtype=torch.float64)
    rows, columns = 7.0 * torch.rand(2, 2, 5, 4, generator=source, dtype=torch.float64) - 1.0
    grid = torch.stack([columns * 2 / 3 - 1, rows * 2 / 4 - 1], -1)
    expected = torch.nn.functional.grid_sample(
        image[:, None], grid, padding_mode="border", align_corners=True
    )
    torch.testing.assert_close(sampled(image, rows, columns), expected[:, 0])


def test_the_picture_has_the_originals_in_its_first_row() -> None:
    problem = built(MLP, NETWORK)
    (picture,) = problem.pictures(problem.initial_meta(0), 0)
    pixels = picture.drawing.array()
    assert pixels.shape == (40, 8, 8, 1)
    assert picture.drawing.columns == 10
    assert all(np.array_equal(pixels[:10], row) for row in np.split(pixels, 4))  # no change yet


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        (
            {"inner_task": {"kind": "image_cnn", "dataset": "mnist1d"}},
            "meta_parameters.0.kind",
            "holds signals; allowed inner_task.dataset: digits",
        ),
        ({"inner_task": {"kind": "quadratic"}}, "meta_parameters.0.kind", "image_mlp"),
        ({"estimators": [{"kind": "fomaml"}]}, "estimators.0.kind", "inner gradients alone"),
        ({"estimators": [{"kind": "reptile"}]}, "estimators.0.kind", "initial parameters only"),
    ],
)
@pytest.mark.parametrize("item", [MAGNITUDES, NETWORK], ids=["magnitudes", "network"])
def test_what_cannot_work_is_refused(document, path, message, item) -> None:
    with pytest.raises(SpecError) as refused:
        validate({"meta_parameters": [item], **document})
    assert any(e.path == path and message in str(e) for e in refused.value.errors)
