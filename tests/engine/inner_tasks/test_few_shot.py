"""MAML and its relatives on few-shot episodes, through specs alone."""

import pytest
import torch
from torch.func import grad

from engine import estimate, trees
from engine.building import build_problem
from engine.outer_loop.loop import SEED_STRIDE
from engine.spec import validate
from engine.spec.inner_tasks.episodes import SMALL_EPISODES
from engine.together import together
from tests.engine.slopes import meta_loss

SEED = 7
EVERYTHING = {"kind": "initialisation"}
LAST_LAYER = {"kind": "initialisation", "adapts": "last_layer"}
SMALL_STEPS = {"kind": "sgd", "learning_rate": 0.01}
META_SGD = {"kind": "learning_rate", "granularity": "per_parameter"}


def built(*learned, steps=3, task=None, **inner):
    spec = {
        "inner_task": {"kind": "few_shot", **SMALL_EPISODES, **(task or {})},
        "inner": {
            "steps": steps,
            "optimizer": {"kind": "sgd", "learning_rate": 0.3},
            "program": "eager",
            **inner,
        },
        "meta_parameters": list(learned),
        "precision": "float64",
        "device": "cpu",
    }
    return build_problem(validate(spec))


def slope(problem, meta, direction) -> float:
    """Central difference of the meta-loss along `direction`, a tree like θ."""
    step = 1e-5 / trees.flat(direction).norm()
    ahead, behind = (
        {name: leaf + sign * step * direction[name] for name, leaf in meta.items()}
        for sign in (1, -1)
    )
    rise = meta_loss(problem, ahead, SEED) - meta_loss(problem, behind, SEED)
    return rise / (2 * step.item())


def gradient(problem, meta, **estimator) -> trees.Meta:
    return estimate(problem, estimator, meta, seed=SEED).gradient


def distance(one, other) -> float:
    one, other = trees.flat(one), trees.flat(other)
    return ((one - other).norm() / other.norm()).item()


@pytest.mark.parametrize(
    "learned",
    [(EVERYTHING,), (LAST_LAYER,), (EVERYTHING, META_SGD)],
    ids=["MAML", "ANIL", "Meta-SGD"],
)
def test_meta_gradients_are_right(learned):
    problem = built(*learned)
    meta = problem.initial_meta(0)
    found = gradient(problem, meta, kind="unrolled", storage="full")
    for part in {name.split(".")[0] for name in meta}:
        unit = {n: g if n.startswith(part) else torch.zeros_like(g) for n, g in found.items()}
        squared = sum((g**2).sum().item() for g in unit.values())
        assert squared > 0
        assert slope(problem, meta, unit) == pytest.approx(squared, rel=1e-5)
    forward = gradient(problem, meta, kind="forward_mode", chunk=64)
    assert distance(forward, found) < 1e-8


def test_the_body_of_anil_is_learned_through_the_adapted_head():
    problem = built(LAST_LAYER)
    meta = problem.initial_meta(0)
    assert list(problem.initial_state(meta, SEED)["params"]) == ["head.weight", "head.bias"]
    found = gradient(problem, meta, kind="unrolled", storage="full")
    body = {n: g if "backbone" in n else torch.zeros_like(g) for n, g in found.items()}
    squared = sum((g**2).sum().item() for g in body.values())
    assert squared > 1e-8
    assert slope(problem, meta, body) == pytest.approx(squared, rel=1e-5)


def test_first_order_maml_is_the_gradient_at_the_adapted_parameters():
    problem = built(EVERYTHING)
    meta = problem.initial_meta(0)
    adapted = problem.final_params(meta, SEED)
    expected = grad(lambda w: problem.task.validation_loss(w, torch.tensor(SEED)))(adapted)
    found = gradient(problem, meta, kind="fomaml")
    for name, slope_of_one in expected.items():
        assert torch.allclose(found[f"initialisation.{name}"], slope_of_one, atol=1e-12)


def test_reptile_points_from_the_adapted_parameters_to_the_first():
    problem = built(EVERYTHING)
    meta = problem.initial_meta(0)
    adapted = problem.final_params(meta, SEED)
    found = gradient(problem, meta, kind="reptile")
    for name, w in adapted.items():
        assert torch.allclose(found[f"initialisation.{name}"], meta[f"initialisation.{name}"] - w)


def test_implicit_maml_with_enough_steps_agrees_with_the_unroll():
    problem = built(EVERYTHING, steps=40, proximal=50.0, optimizer=SMALL_STEPS)
    meta = problem.initial_meta(0)
    unrolled = gradient(problem, meta, kind="unrolled")
    implicit = gradient(problem, meta, kind="implicit", solver="cg", iterations=50)
    assert distance(implicit, unrolled) < 1e-5


def test_every_seed_has_its_own_episode_and_always_the_same():
    problem = built(EVERYTHING)
    meta = problem.initial_meta(0)
    state = problem.initial_state(meta, SEED)
    first, again = problem.step(state, meta, 0), problem.step(state, meta, 1)
    for name, w in first["params"].items():
        assert torch.equal(w, again["params"][name])
    losses = {problem.meta_loss({**first, "seed": torch.tensor(s)}, meta, 1).item() for s in (1, 2)}
    assert len(losses) == 2


def test_episodes_of_a_meta_batch_together():
    problem = built(EVERYTHING)
    both = together(problem, 2, stride=SEED_STRIDE)
    meta = problem.initial_meta(0)
    found = gradient(both, meta, kind="unrolled", storage="full")
    one_by_one = [
        estimate(problem, {"kind": "unrolled"}, meta, seed=seed).gradient
        for seed in (SEED, SEED + SEED_STRIDE)
    ]
    mean = {name: (one_by_one[0][name] + one_by_one[1][name]) / 2 for name in meta}
    assert distance(found, mean) < 1e-10


def test_what_is_reached_on_held_out_alphabets():
    problem = built(EVERYTHING, task={"ways": 5, "test_episodes": 12, "filters": 8, "shots": 3})
    meta = problem.initial_meta(0)
    figures = problem.test_figures(meta, 0)
    ends = {"test_accuracy_low", "test_accuracy_high"}
    assert figures.keys() == {"test_accuracy", "test_loss", *ends}
    assert 0.2 < figures["test_accuracy"] < 1.0
    assert 0.0 < figures["test_accuracy_high"] - figures["test_accuracy_low"] < 0.6
    assert figures == problem.test_figures(meta, 1), "the same held-out episodes for every run"


def test_training_and_testing_draw_from_alphabets_of_their_own():
    problem = built(EVERYTHING, task={"test_episodes": 3})
    data = problem.task.data.data

    def splits(task) -> set[int]:
        drawn = [task.episodes.drawn(torch.tensor(seed))[0].tolist() for seed in range(20)]
        return {int(data.split[data.group[place]]) for places in drawn for place in places}

    held_out = problem.task.held_out()
    assert splits(problem.task) == {0}
    assert splits(held_out) == {2}
    meta, tested = problem.initial_meta(0), problem.with_task(held_out)
    losses = [meta_loss(tested, meta, seed) for seed in range(3)]
    assert problem.test_figures(meta, 0)["test_loss"] == pytest.approx(sum(losses) / 3, rel=1e-12)


def test_the_picture_is_a_held_out_episode_with_guesses():
    problem = built(EVERYTHING, task={"ways": 3, "queries": 4})
    meta = problem.initial_meta(0)
    [picture] = problem.pictures(meta, 0)
    drawing = picture.drawing
    assert drawing.columns == 3
    assert drawing.array().shape == (3 * (2 + 3), 16, 16, 1)
    names = drawing.captions[:3]
    assert len(set(names)) == 3
    assert set(drawing.captions) == set(names)
    assert drawing.right[:6] == [None] * 6
    guesses, truth = drawing.captions[6:], names * 3
    assert drawing.right[6:] == [g == t for g, t in zip(guesses, truth, strict=True)]
