"""Several inner loops as one: the mean of what they give alone, whoever estimates."""

from functools import cache

import pytest
import torch
from torch.utils import _pytree as pytree

from engine import trees
from engine.building import build_problem
from engine.compiled import Compiled
from engine.estimators import Estimator, build_estimator, estimate
from engine.outer_loop import build_outer_loop
from engine.outer_loop import meta_batch as meta_batch_module
from engine.problem import Problem
from engine.spec import validate
from engine.testing import OBJECTIVES, EstimatorContract
from engine.testing_problems import Recurrence, Ridge, learner
from engine.together import together
from tests.engine.problems import EVERY_HYPER_PARAMETER, quadratic

COUNT, STRIDE = 3, 17
MEANS = [
    {"kind": "unrolled", "storage": "full"},
    {"kind": "unrolled"},
    {"kind": "unrolled", "products": "forward_over_reverse"},
    {"kind": "truncated", "window": 5},
    {"kind": "forward_mode"},
    {"kind": "implicit", "solver": "neumann", "iterations": 5, "step_size": 0.1},
]
"""Estimators whose estimate for a mean of meta-losses is the mean of their estimates."""


def problems():
    for objective in OBJECTIVES:
        yield Ridge(dtype=torch.float64, objective=objective)
        yield Recurrence(dtype=torch.float64, objective=objective)
    yield quadratic(*EVERY_HYPER_PARAMETER, steps=8, noise=0.2, optimizer={"kind": "momentum"})


def accepts(estimator: Estimator, problem: Problem) -> bool:
    try:
        estimator.check(problem)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("spec", MEANS, ids=str)
def test_an_estimate_is_the_mean_over_the_loops(spec: dict) -> None:
    estimator = build_estimator(spec)
    for problem in problems():
        if not accepts(estimator, problem):
            continue
        meta = problem.initial_meta(0)
        alone = [estimate(problem, spec, meta, seed=2 + STRIDE * i) for i in range(COUNT)]
        found = estimate(together(problem, COUNT, stride=STRIDE), spec, meta, seed=2)
        expected = torch.stack([trees.flat(one.gradient) for one in alone]).mean(0)
        assert (trees.flat(found.gradient) - expected).norm() <= 1e-12 * expected.norm()
        mean = sum(one.meta_loss for one in alone) / COUNT
        assert found.meta_loss == pytest.approx(mean, rel=1e-12)


def test_states_are_those_of_the_loops_alone() -> None:
    problem = quadratic(steps=8, noise=0.2)
    meta = problem.initial_meta(0)
    state = together(problem, COUNT, stride=STRIDE).initial_state(meta, 5)
    for i in range(COUNT):
        alone = problem.initial_state(meta, 5 + STRIDE * i)
        own = pytree.tree_map(lambda leaf, i=i: leaf[i], state)
        pairs = zip(pytree.tree_leaves(own), pytree.tree_leaves(alone), strict=True)
        assert all(torch.equal(one, other) for one, other in pairs)


def test_the_closed_form_is_the_mean_of_the_closed_forms() -> None:
    problem = quadratic(steps=8, noise=0.2)
    both = together(problem, COUNT, stride=STRIDE)
    meta = problem.initial_meta(0)
    loss, gradient = both.exact(meta, 3)
    found = estimate(both, {"kind": "unrolled"}, meta, seed=3)
    torch.testing.assert_close(found.gradient, gradient, rtol=1e-10, atol=0.0)
    assert found.meta_loss == pytest.approx(loss, rel=1e-12)
    assert not hasattr(together(Recurrence(dtype=torch.float64), 2, stride=1), "exact")
    assert not hasattr(together(Recurrence(dtype=torch.float64), 2, stride=1), "inner_loss")


def test_what_is_compiled_stays_so() -> None:
    both = together(Compiled(quadratic(steps=8)), COUNT, stride=STRIDE)
    assert isinstance(both, Compiled)
    assert len(both.initial_state(both.initial_meta(0), 0)["seed"]) == COUNT


@cache
def pairs(dtype: torch.dtype) -> list[Problem]:
    return [
        together(Ridge(dtype=dtype), 2, stride=STRIDE),
        together(Recurrence(dtype=dtype, objective="average"), 2, stride=STRIDE),
        together(learner(dtype=dtype), 2, stride=STRIDE),
    ]


class TestTogetherUnderTheContract(EstimatorContract):
    """Estimators of several kinds, on inner loops that are two each."""

    @pytest.fixture(
        params=[
            {"kind": "unrolled"},
            {"kind": "truncated", "mode": "windows", "window": 5, "online": True},
            {"kind": "implicit"},
            {"kind": "evolution", "particles": 4},
        ],
        ids=str,
    )
    def estimator(self, request):
        return build_estimator(request.param)

    def problems(self, estimator, dtype: torch.dtype = torch.float64) -> list[Problem]:
        accepted = [problem for problem in pairs(dtype) if accepts(estimator, problem)]
        assert accepted
        return accepted

    def test_what_a_user_wrote_is_accepted(self, estimator) -> None:
        """Here no problem has the type that its user gave it."""
        if not estimator.options.only_initialisation:
            assert {Ridge, Recurrence} & {type(each.problem) for each in self.problems(estimator)}


TRUNCATED = {"kind": "truncated", "mode": "windows", "window": 2}


def descent(**changes):
    experiment = validate(
        {
            "inner_task": {"kind": "quadratic", "dimension": 5, "noise": 0.1},
            "inner": {"steps": 6},
            "outer": {"steps": 3, "meta_batch": 4, "inner_seed": "fresh"},
            "precision": "float64",
            "device": "cpu",
            **changes,
        }
    )
    return build_outer_loop(experiment, build_problem(experiment))


@pytest.mark.parametrize("estimator", [{"kind": "unrolled"}, TRUNCATED], ids=str)
def test_a_meta_batch_of_small_loops_goes_together_with_the_figures_of_each_alone(
    estimator: dict, monkeypatch
) -> None:
    both = []
    for most in (8e6, 0.0):
        monkeypatch.setattr(meta_batch_module, "MOST_BYTES_TOGETHER", most)
        loop = descent(estimators=[estimator])
        assert loop.loops_together == (4 if most else 1)
        for _ in range(2):
            values = loop.observe()
            loop.update()
        both.append([values[name] for name in ("meta_loss", "gradient_norm", "inner_steps")])
    assert both[0][:2] == pytest.approx(both[1][:2], rel=1e-12)


@pytest.mark.parametrize(("together", "count"), [("all", 4), ("one_by_one", 1)])
def test_the_spec_may_say_whether_they_go_together(together: str, count: int, monkeypatch) -> None:
    most = 0.0 if together == "all" else 8e6
    monkeypatch.setattr(meta_batch_module, "MOST_BYTES_TOGETHER", most)
    loop = descent(outer={"steps": 3, "meta_batch": 4, "together": together})
    assert loop.loops_together == count


@pytest.mark.parametrize(
    "changes",
    [
        {"outer": {"steps": 3}},
        {"estimators": [{"kind": "evolution", "particles": 4}]},
        {"estimators": [{**TRUNCATED, "online": True}], "objective": "average"},
        {"estimators": [{"kind": "implicit"}], "meta_parameters": [{"kind": "weight_decay"}]},
    ],
    ids=["one loop", "random", "online", "implicit"],
)
def test_other_loops_go_alone(changes: dict) -> None:
    loop = descent(**changes)
    assert loop.loops_together == 1
    assert loop.estimated is loop.problem
