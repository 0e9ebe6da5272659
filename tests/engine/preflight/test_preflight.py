"""What preflight refuses fails, or is wrong and does not say so; what it passes runs."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import ClassVar, Literal

import pytest
import torch

import engine
from engine import testing_problems
from engine.estimators import Unrolled
from engine.obstacle import Obstacle, errors
from engine.preflight import preflight
from engine.problem import Problem
from engine.spec import SpecError, searches
from engine.spec import estimators as options
from tests.engine.preflight import broken_problems as broken
from tests.engine.preflight.broken_problems import Changed, Fit

ESTIMATORS = {
    "unrolled": {"kind": "unrolled"},
    "truncated": {"kind": "truncated", "window": 2},
    "implicit": {"kind": "implicit", "iterations": 2},
    "forward_mode": {"kind": "forward_mode"},
    "evolution": {"kind": "evolution", "particles": 2},
}
NAMES = set(ESTIMATORS)


def once(w: torch.Tensor) -> torch.Tensor:
    return broken.OnceSine.apply(w).square().sum()


def sine(w: torch.Tensor) -> torch.Tensor:
    return broken.Sine.apply(w).square().sum()


def look(problem: Fit, estimator: str = "unrolled", **options) -> list[Obstacle]:
    return preflight(problem, {**ESTIMATORS[estimator], **options}, problem.initial_meta(0))


def fails(problem: Fit, estimator: str) -> bool:
    try:
        engine.estimate(problem, ESTIMATORS[estimator], problem.initial_meta(0))
    except (RuntimeError, ValueError):
        return True
    return False


UNFIT = [
    (partial(Fit, broken.attention), NAMES - {"evolution"}, "scaled_dot_product", "SDPBackend"),
    (partial(Fit, broken.pairwise), NAMES - {"evolution"}, "_pdist_", "use evolution"),
    (partial(Fit, broken.sampled), {"forward_mode"}, "grid_sampler_2d", "unrolled"),
    (partial(Fit, sine), {"forward_mode", "evolution"}, "Sine", "generate_vmap_rule"),
    (partial(Fit, broken.reads_a_value), {"evolution"}, ".item()", "torch.where"),
    (partial(Fit, broken.branches), {"evolution"}, ".item() or if", "torch.where"),
    (partial(Fit, broken.selects), {"evolution"}, "boolean mask", "weigh"),
    (broken.RecurrentJudge, {"evolution", "forward_mode"}, "lstm|mkldnn_rnn", "unrolled"),
]


@pytest.mark.parametrize(("make", "unfit", "operation", "cure"), UNFIT)
def test_what_is_refused_fails_and_what_passes_runs(
    make: Callable[[], Fit], unfit: set[str], operation: str, cure: str
) -> None:
    problem = make()
    found = {name: look(problem, name) for name in ESTIMATORS}
    assert {name for name in ESTIMATORS if errors(found[name])} == unfit
    assert {name for name in ESTIMATORS if fails(problem, name)} == unfit
    blamed = [obstacle for name in unfit for obstacle in errors(found[name])]
    words = operation.split("|")
    assert any(word in obstacle.operation for word in words for obstacle in blamed)
    assert any(cure in str(obstacle) for obstacle in blamed)
    for obstacle in blamed:
        assert "Traceback" not in str(obstacle)
        assert "\n" not in str(obstacle)


def test_particles_one_by_one_need_nothing_more() -> None:
    for loss in (broken.branches, broken.selects, sine):
        problem, alone = Fit(loss), {**ESTIMATORS["evolution"], "chunk": 1}
        [obstacle] = look(problem, "evolution")
        assert "set chunk to 1" in obstacle.cure
        assert look(problem, "evolution", chunk=1) == []
        engine.estimate(problem, alone, problem.initial_meta(0))
    both = Fit(lambda w: broken.pairwise(w) + broken.reads_a_value(w))
    [obstacle] = look(both)
    assert "use evolution or a search with chunk 1" in obstacle.cure


def test_a_step_must_run_without_a_graph() -> None:
    """torch.autograd.grad under no_grad fails wherever a state is only passed through."""
    problem = broken.WithAutograd()
    for name in ESTIMATORS:
        [obstacle] = errors(look(problem, name))
        assert "torch.func.grad" in obstacle.cure
    assert fails(problem, "evolution")
    assert fails(problem, "implicit")


def test_the_cure_of_attention_cures_it() -> None:
    def plain(w: torch.Tensor) -> torch.Tensor:
        with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            return broken.attention(w)

    for name in ESTIMATORS:
        assert look(Fit(plain), name) == []
        assert not fails(Fit(plain), name)


def test_finite_differences_cure_an_inner_loss_with_one_derivative() -> None:
    problem = Fit(broken.pairwise)
    [refused] = errors(look(problem, "implicit"))
    assert "finite_difference" in str(refused)
    assert refused.operation == "_pdist_backward"
    assert look(problem, "implicit", products="finite_difference") == []


def directional(problem: Fit) -> tuple[float, float]:
    """Unrolled's derivative by the rate, and a central difference's."""
    meta = problem.initial_meta(0)
    exact = engine.estimate(problem, ESTIMATORS["unrolled"], meta).gradient["rate"]
    sides = [
        engine.estimate(
            problem, ESTIMATORS["unrolled"], {**meta, "rate": meta["rate"] + step}
        ).meta_loss
        for step in (0.01, -0.01)
    ]
    return float(exact), (sides[0] - sides[1]) / 0.02


def test_a_second_derivative_lost_without_a_word_is_refused() -> None:
    """torch runs it, and is wrong: the only way to know is to look at how the step is written."""
    right = directional(Fit(lambda w: w.sin().square().sum()))
    assert right[0] == pytest.approx(right[1], rel=1e-2)
    wrong = directional(Fit(once))
    assert wrong[0] != pytest.approx(wrong[1], rel=3e-2)
    [obstacle] = look(Fit(once))
    assert obstacle.operation == "OnceSine.backward"
    assert "without a word" in obstacle.reason
    assert errors(look(Fit(once), "evolution")) == []


def test_mixed_mode_needs_no_second_backward_pass() -> None:
    mixed = {"products": "forward_over_reverse"}
    assert errors(look(broken.ByParts(once)))
    assert look(broken.ByParts(once), **mixed) == []
    problem = broken.ByParts(lambda w: w.sin().square().sum())
    meta = problem.initial_meta(0)
    exact = engine.estimate(problem, ESTIMATORS["unrolled"], meta).gradient
    found = engine.estimate(broken.ByParts(once), {**ESTIMATORS["unrolled"], **mixed}, meta)
    for name, leaf in found.gradient.items():
        assert torch.allclose(leaf, exact[name], rtol=1e-5)
    [obstacle] = errors(look(Fit(once), **mixed))
    assert "GradientStep" in obstacle.reason
    [obstacle] = errors(look(broken.ByParts(broken.sampled), **mixed))
    assert obstacle.operation == "grid_sampler_2d"


def test_a_gradient_without_a_graph_is_told() -> None:
    warning, unused = look(broken.FirstOrderByAccident(lambda w: (w**3).sum()))
    assert unused.reason.startswith("decay plays no part")
    assert (warning.level, warning.operation) == ("warning", "torch.autograd.grad")
    assert "create_graph=True" in warning.cure


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (broken.Noisy(), "params.w has other bits"),
        (broken.InPlace(), "changes its argument params.w in place"),
        (broken.RunningStatistics(), "changes its argument buffers.mean in place"),
        (broken.Accuracy(), "cut from the learner's parameters"),
        (Changed(loss=lambda loss: loss[None]), "shape (1,)"),
        (Changed(loss=float), "is float, not a tensor"),
        (Changed(loss=lambda loss: (loss > 0).long()), "dtype int64"),
        (Changed(state=lambda state: state["params"]), "no key 'params'"),
        (Changed(state=lambda state: [state]), "gives list"),
        (Changed(state=lambda state: {**state, "more": torch.ones(2)}), "structure (more)"),
        (Changed(state=lambda state: {"params": {"w": 1.0}}), "has float at params.w"),
        (
            Changed(state=lambda state: {"params": {"w": state["params"]["w"].double()}}),
            "dtype of params.w from float32 into float64",
        ),
        (
            Changed(state=lambda state: {"params": {"w": state["params"]["w"][:2]}}),
            "shape of params.w from (4, 8) into (2, 8)",
        ),
        (
            Changed(state=lambda state: state["parameters"]),
            "KeyError: 'parameters' (test_preflight.py, line",
        ),
    ],
)
def test_a_broken_contract_is_refused_for_every_estimator(problem: Fit, words: str) -> None:
    for name in ESTIMATORS.keys() - {"evolution" if "cut from" in words else ""}:
        [obstacle] = errors(look(problem, name))
        assert words in str(obstacle)


def test_what_only_may_be_wrong_is_told() -> None:
    [detached] = look(broken.Detached())
    assert detached.level == "warning"
    assert detached.reason.startswith("rate plays no part")
    nan = Changed(state=lambda state: {"params": {"w": state["params"]["w"] * torch.nan}})
    assert [obstacle.level for obstacle in look(nan)] == ["warning"] * 2
    assert "the meta-loss is not finite" in str(look(nan)[1])


def test_a_precision_that_was_asked_for_must_be_kept() -> None:
    problem = Fit()
    meta = problem.initial_meta(0)
    assert preflight(problem, ESTIMATORS["unrolled"], meta, precision="float32") == []
    [obstacle] = preflight(problem, ESTIMATORS["unrolled"], meta, precision="float64")
    assert (obstacle.level, obstacle.reason) == ("error", "rate is float32")


@pytest.mark.parametrize("objective", ["final", "average"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sound_problems_pass_without_a_word(dtype: torch.dtype, objective: str) -> None:
    problems = [testing_problems.Ridge, testing_problems.Recurrence, testing_problems.learner]
    for make in problems:
        problem = make(dtype=dtype, objective=objective)
        meta = problem.initial_meta(0)
        for name in ("unrolled", "truncated", "forward_mode", "evolution"):
            assert preflight(problem, ESTIMATORS[name], meta) == []


def test_what_the_estimator_itself_refuses_is_told() -> None:
    [obstacle] = look(Fit(), "truncated", window=4)
    assert "window: 4 is longer than the horizon" in obstacle.reason
    [obstacle] = preflight(Fit(), {"kind": "reptile"}, Fit().initial_meta(0))
    assert "'rate' plays no part" in obstacle.reason


def test_estimators_options_and_searches_are_all_taken() -> None:
    problem = Fit(broken.branches)
    meta = problem.initial_meta(0)
    assert preflight(problem, Unrolled(storage="full"), meta) == []
    assert errors(preflight(problem, searches.Elites(), meta))
    assert errors(preflight(problem, {"kind": "cma_es", "population": 6}, meta))
    with pytest.raises(SpecError, match="unknown kind"):
        preflight(problem, {"kind": "guess"}, meta)


def test_nothing_changes() -> None:
    problem, before = broken.Noisy(), torch.random.get_rng_state()
    plain = random.getstate()
    meta = problem.initial_meta(0)
    kept = {name: leaf.clone() for name, leaf in meta.items()}
    for name in ESTIMATORS:
        preflight(problem, ESTIMATORS[name], meta)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert random.getstate() == plain
    assert all(torch.equal(meta[name], kept[name]) for name in meta)
    assert not any(leaf.requires_grad for leaf in meta.values())


def test_memory_that_runs_out_is_no_obstacle() -> None:
    problem = Changed(state=lambda state: torch.empty(2**50))
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        look(problem)


def test_a_failed_estimate_points_here() -> None:
    problem = Fit(broken.pairwise)
    with pytest.raises(RuntimeError) as caught:
        engine.estimate(problem, ESTIMATORS["unrolled"], problem.initial_meta(0))
    assert "engine.preflight.preflight" in caught.value.__notes__[0]


class OnlyQuietProblems(Unrolled):
    """Of a kind that is not registered; looks at the problem itself."""

    class Options(options.Unrolled):
        title: ClassVar[str] = "Only quiet problems"
        kind: Literal["only_quiet"] = "only_quiet"

    options_type = Options

    def check(self, problem: Problem) -> None:
        raise ValueError("noise: this problem is noisy; allowed: a quiet one")


def test_an_estimator_of_ones_own_is_asked_itself() -> None:
    problem = Fit()
    [found] = preflight(problem, OnlyQuietProblems(), problem.initial_meta(0))
    assert found.need == "Only quiet problems"
    assert found.reason == "noise: this problem is noisy; allowed: a quiet one"


def test_the_squared_error_of_torch_is_refused_to_forward_mode() -> None:
    """Nothing is estimated here: while bytes are counted, its tangents end the process."""
    problem = Fit(lambda w: torch.nn.functional.mse_loss(w * w, torch.ones_like(w)))
    [obstacle] = errors(look(problem, "forward_mode"))
    assert obstacle.operation == "mse_loss"
    assert "((x - y) ** 2).mean()" in obstacle.cure
    assert look(problem, "unrolled") == []
