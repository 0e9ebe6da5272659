"""Families of tasks: each a pure function of its seed, the same in all coordinates it hides in."""

import pytest
import torch

from engine.held_out import mean_loss, tuned_adam_loss
from engine.inner_tasks.task_family import TaskFamily
from engine.spec import inner_tasks as specs
from tests.engine.finite_differences import assert_exact, built

CPU = torch.device("cpu")
FAMILIES = ("least_squares", "softmax_regression", "mlp")
SMALL = {"features": 3, "hidden": 3, "examples": 12, "batch_size": 5, "augmentation": 3.0}


def family(name: str, **options) -> TaskFamily:
    spec = specs.TaskFamily(**{**SMALL, "family": name, **options})
    return TaskFamily(spec, device=CPU, dtype=torch.float64)


@pytest.mark.parametrize("name", FAMILIES)
def test_meta_gradients_equal_finite_differences(name: str) -> None:
    task = {"kind": "task_family", "family": name, **SMALL}
    assert_exact(built(task, {"kind": "learning_rate", "granularity": "per_tensor"}))


@pytest.mark.parametrize("name", FAMILIES)
def test_seeds_have_tasks_of_their_own_which_go_together(name: str) -> None:
    task = family(name)
    seeds = torch.tensor([3, 4, 2**61])
    params = [task.initial_params(int(seed)) for seed in seeds]
    alone = [task.validation_loss(w, seed) for w, seed in zip(params, seeds, strict=True)]
    stacked = {key: torch.stack([w[key] for w in params]) for key in params[0]}
    together = torch.func.vmap(task.validation_loss)(stacked, seeds)
    torch.testing.assert_close(torch.stack(alone), together)
    assert len({float(loss) for loss in alone}) == 3
    again = task.validation_loss(task.initial_params(3), seeds[0])
    assert torch.equal(again, alone[0])


@pytest.mark.parametrize("name", FAMILIES)
def test_augmentation_changes_the_coordinates_and_not_the_task(name: str) -> None:
    seed = torch.tensor(5)
    plain, scaled = family(name, augmentation=1.0), family(name, augmentation=100.0)
    w, v = plain.initial_params(5), scaled.initial_params(5)
    scale = scaled.batch(seed, 0).scale
    assert abs(scale.log()) > 0.1
    for key in w:
        torch.testing.assert_close(scale * v[key], w[key])
    for t in range(3):
        losses = [
            task.training_loss(p, task.batch(seed, t)) for task, p in ((plain, w), (scaled, v))
        ]
        torch.testing.assert_close(*losses)
    torch.testing.assert_close(plain.validation_loss(w, seed), scaled.validation_loss(v, seed))


@pytest.mark.parametrize("condition_number", [1.0, 1e4])
def test_features_are_as_badly_conditioned_as_the_seed_draws(condition_number: float) -> None:
    """The map from projected to final coordinates has singular values from κ^−½ to 1."""
    task = family("least_squares", features=8, condition_number=condition_number)
    even = family("least_squares", features=8, condition_number=1.0)
    inputs = torch.eye(64, dtype=torch.float64)
    worst = []
    for seed in range(20):
        seed = torch.tensor(seed)
        final, before = (one._coordinates(seed, inputs) for one in (task, even))
        mixed = torch.linalg.lstsq(before, final).solution
        values = torch.linalg.svdvals(mixed)
        assert values[0] == pytest.approx(1.0)
        worst.append(float(values[0] / values[-1]) ** 2)
    assert max(worst) <= condition_number * (1.0 + 1e-9)
    assert max(worst) >= condition_number**0.8


def test_least_squares_can_be_solved() -> None:
    task, seed = family("least_squares", batch_size=None, augmentation=50.0), torch.tensor(7)
    whole = task.whole_batch(seed)
    assert task.batch(seed, 3).inputs.equal(whole.inputs)
    solution = torch.linalg.lstsq(whole.inputs, whole.targets[:, None]).solution[:, 0]
    w = {"layers.0.weight": solution[None] / whole.scale}
    assert task.validation_loss(w, seed) < 1e-20


def test_every_class_is_renamed() -> None:
    task = family("mlp", examples=500)
    labels = [task.whole_batch(torch.tensor(seed)).targets for seed in range(2)]
    assert all(sorted(found.unique().tolist()) == list(range(10)) for found in labels)


def test_adam_is_tuned_where_it_is_not_judged() -> None:
    """Its figure is that of one of the learning rates, and better than most."""
    task = {"kind": "task_family", "family": "softmax_regression", **SMALL}
    problem = built(task, {"kind": "learning_rate"}, optimizer={"kind": "adam"})
    meta = problem.initial_meta(0)
    exponents = (3.5, 3.0, 2.5, 2.0, 1.5, 1.0, 0.5, 0.0)
    rates = [torch.full_like(meta["learning_rate"], 10.0**-exponent) for exponent in exponents]
    losses = sorted(mean_loss(problem, {"learning_rate": rate}) for rate in rates)
    figure = tuned_adam_loss(problem.task, problem.horizon, "average")
    assert min(abs(figure - loss) for loss in losses) < 1e-9
    assert figure <= losses[2]
    assert problem.test_figures(meta, 0)["test_loss_adam"] == figure
