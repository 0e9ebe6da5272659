"""Every cell of the support matrix that says yes: what the estimator returns there is right.

Each is a small experiment in float64 (see `engine.support`), of one inner task, one meta-parameter
and one estimator, whose kinds are in the test's name: `-k "quadratic and implicit"` runs a part.
All estimators of a pair share its problem and its exact meta-gradient.

By default every estimator has one turn with each inner task and one with each meta-parameter, which
takes a minute or two; with WHOLE_MATRIX=1 in the environment all cells are tested.
"""

from __future__ import annotations

import json
import os
from functools import cached_property, lru_cache

import pytest
import torch

from engine import estimate, trees
from engine.building import build_problem
from engine.estimators import build_estimator
from engine.population import generator, standard_normal
from engine.problem import GradientStep, Meta
from engine.searches import build_search
from engine.spec import validate
from engine.spec.estimator import Estimator
from engine.spec.installed import ESTIMATORS
from engine.support import Support, support_matrix
from tests.engine.pairs import (
    after_one_newton_step,
    assert_slopes,
    first_order,
    self_tuned,
)
from tests.engine.slopes import followed, meta_loss

ALLOWED = [cell for cell in support_matrix() if cell.allowed]


def in_turn() -> list[Support]:
    """Of the allowed cells, the first of every estimator with each inner task, and with each
    meta-parameter."""
    chosen, seen = [], set()
    for cell in ALLOWED:
        turns = {(cell.estimator, cell.inner_task), (cell.estimator, cell.meta_parameter)}
        if turns - seen:
            chosen.append(cell)
        seen |= turns
    return chosen


CELLS = ALLOWED if os.environ.get("WHOLE_MATRIX") else in_turn()
FIRST = {cell.inner_task: cell for cell in reversed(ALLOWED)}
FIRST |= {cell.meta_parameter: cell for cell in reversed(ALLOWED)}
WITH_MIXED = {(cell.inner_task, cell.meta_parameter) for cell in FIRST.values()}
FULL = {"kind": "unrolled", "storage": "full"}
OTHERS = {
    "unrolled": [{"storage": "per_step"}],
    "truncated": [{"mode": "windows"}],
}
"""Further options that are held to account, beside the small ones."""
MIXED = {"segment": 2, "products": "forward_over_reverse", "save_gradients": True}
"""Where steps follow an inner gradient: of two segments, the first one's steps are replayed with
saved gradients, and the last one's taken anew. It takes seconds to prepare, so every inner task
and every meta-parameter has one turn."""


class Pair:
    """An inner task with a meta-parameter in its slot: what all estimators are compared on."""

    def __init__(self, document: str) -> None:
        self.problem = build_problem(validate(json.loads(document)))
        self.meta = self.problem.initial_meta(0)

    @cached_property
    def exact(self) -> Meta:
        return estimate(self.problem, FULL, self.meta).gradient

    def assert_equal(self, found: Meta, expected: Meta) -> None:
        found, expected = trees.flat(found), trees.flat(expected)
        assert (found - expected).norm() < 1e-8 * expected.norm() + 1e-14


@lru_cache(maxsize=4)
def built(document: str) -> Pair:
    return Pair(document)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tensors this small are slower on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
    built.cache_clear()


def name_of(cell: Support) -> str:
    return f"{cell.inner_task} {cell.meta_parameter} {cell.estimator}"


@pytest.mark.parametrize("cell", CELLS, ids=name_of)
def test_what_the_support_matrix_allows_is_right(cell: Support) -> None:
    document = {**cell.document, "estimators": [FULL]}
    if ESTIMATORS[cell.estimator].only_choices:
        document = cell.document
    elif not ESTIMATORS[cell.estimator].differentiates:
        document["estimators"] = [{"kind": "random"}]
    pair = built(json.dumps(document))
    [small] = cell.document["estimators"]
    every = [small, *({**small, **other} for other in OTHERS.get(cell.estimator, []))]
    turn = (cell.inner_task, cell.meta_parameter) in WITH_MIXED
    if cell.estimator == "unrolled" and turn and isinstance(pair.problem, GradientStep):
        every.append({**small, **MIXED})
    for spec in every:
        check(pair, build_options(spec))


def build_options(spec: dict) -> Estimator:
    return ESTIMATORS[spec["kind"]].model_validate(spec)


def check(pair: Pair, options: Estimator) -> None:
    """That the estimator returns what it says it estimates."""
    if options.proposes:
        check_search(pair, options)
    elif options.only_choices:
        check_unbiased(pair, options)
    elif options.kind == "evolution":
        check_evolution(pair, options)
    else:
        found = estimate(pair.problem, options.model_dump(), pair.meta)
        expected = meta_loss(pair.problem, pair.meta)
        assert found.meta_loss == pytest.approx(expected, rel=1e-10)
        assert found.health.finite
        if options.exact or getattr(options, "window", None) == pair.problem.horizon:
            if options.kind == "unrolled":
                assert_slopes(lambda meta: meta_loss(pair.problem, meta), pair.meta, found.gradient)
            pair.assert_equal(found.gradient, pair.exact)
        else:
            DEFINITIONS[options.kind](pair, found.gradient)


def check_implicit(pair: Pair, gradient: Meta) -> None:
    assert_slopes(after_one_newton_step(pair.problem, pair.meta), pair.meta, gradient)


def check_fomaml(pair: Pair, gradient: Meta) -> None:
    if isinstance(pair.problem, GradientStep):
        pair.assert_equal(gradient, first_order(pair.problem, pair.meta))


@torch.no_grad()
def check_reptile(pair: Pair, gradient: Meta) -> None:
    params = followed(pair.problem, pair.meta, pair.problem.step)[0]["params"]
    start = pair.problem.initial_state(pair.meta, 0)["params"]
    way = {f"initialisation.{name}": start[name] - w for name, w in params.items()}
    pair.assert_equal(gradient, {name: way[name] for name in pair.meta})


def check_self_tuning(pair: Pair, gradient: Meta) -> None:
    found, expected = trees.flat(gradient), trees.flat(self_tuned(pair.problem, pair.meta))
    assert (found - expected).norm() < 1e-5 * expected.norm()


DEFINITIONS = {
    "implicit": check_implicit,
    "fomaml": check_fomaml,
    "reptile": check_reptile,
    "self_tuning": check_self_tuning,
}
"""What estimates that are neither exact nor random are by definition."""


def check_evolution(pair: Pair, options: Estimator) -> None:
    """1/n Σ ε (εᵀg*) over its own n perturbations ε: with a tiny σ the slope along each."""
    found = trees.flat(estimate(pair.problem, options.model_dump(), pair.meta).gradient)
    count = options.particles // 2
    drawn = standard_normal(pair.meta, count, generator(0, 0))
    directions = torch.cat([leaf.reshape(count, -1) for leaf in drawn.values()], dim=1)
    expected = directions.T @ (directions @ trees.flat(pair.exact)) / count
    rounding = 1e-15 / options.sigma * directions.norm()
    assert (found - expected).norm() < 1e-5 * expected.norm() + rounding


def check_unbiased(pair: Pair, options: Estimator) -> None:
    """The mean of 30 estimates, within four standard errors of the sum over all choices."""
    estimator = build_estimator(options)
    carry = estimator.start(pair.problem, pair.meta, 0)
    draws = torch.stack(
        [
            trees.flat(estimator.whole_loop(pair.problem, pair.meta, {**carry, "draw": i}).gradient)
            for i in range(30)
        ]
    )
    exact = trees.flat(pair.problem.exact(pair.meta, 0)[1])
    assert ((draws.mean(0) - exact).abs() < 4 * draws.std(0) / 30**0.5 + 1e-12).all()


def check_search(pair: Pair, options: Estimator) -> None:
    """Every proposal is judged by its meta-loss, and the search goes on from there."""
    search, problem = build_search(options), pair.problem
    carry = search.start(problem, pair.meta, 0)
    generation, carry = search.evaluate(problem, carry, [0])
    for index in (0, len(generation.losses) - 1):
        proposal = {name: leaf[index] for name, leaf in generation.metas.items()}
        expected = meta_loss(problem, proposal)
        assert float(generation.losses[index]) == pytest.approx(expected, rel=1e-8, nan_ok=True)
    expected = meta_loss(problem, generation.incumbent)
    assert generation.at_incumbent == pytest.approx(expected, rel=1e-8, nan_ok=True)
    following = search.propose(search.observe(carry, generation))
    assert {name: leaf.shape[1:] for name, leaf in following.items()} == {
        name: leaf.shape for name, leaf in pair.meta.items()
    }
