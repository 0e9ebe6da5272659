"""How many particles go together: a matter of sizes, and no figure depends on it."""

from functools import cache

import pytest
import torch

from engine.building import build_problem
from engine.chunking import MOST_TOGETHER, fitting, particles_together
from engine.estimators import Evolution
from engine.population import for_each
from engine.spec import validate
from tests.engine.problems import quadratic


@cache
def mlp(*hidden: int):
    task = {"kind": "image_mlp", "dataset": "digits", "hidden": list(hidden), "batch_size": 64}
    return build_problem(
        validate({"inner_task": {**task, "validation_examples": 100}, "inner": {"steps": 3}})
    )


def together(problem, chunk: int | None = None, chunk_bytes: float = 256e6) -> int:
    meta = problem.initial_meta(0)
    return particles_together(problem, meta, 0, chunk=chunk, chunk_bytes=chunk_bytes)


def test_small_models_go_together_and_large_ones_one_by_one() -> None:
    assert together(mlp(32)) >= 64
    assert together(mlp(512, 512)) == 1


def test_a_given_number_is_kept() -> None:
    assert together(mlp(512, 512), chunk=5) == 5


def test_together_they_fit_the_memory() -> None:
    problem = mlp(32)
    assert together(problem, chunk_bytes=2.0) == 1
    few, many = together(problem, chunk_bytes=2e6), together(problem, chunk_bytes=8e6)
    assert 1 < few < many < 5 * few
    assert fitting(300, 1000.0) == 3
    assert fitting(0, 1000.0) == 1000
    assert fitting(1, 1e9) == MOST_TOGETHER


@pytest.mark.parametrize("mode", [{}, {"mode": "pes", "window": 2}])
def test_estimates_do_not_depend_on_how_many_go_together(mode: dict) -> None:
    problem = quadratic({"kind": "learning_rate"}, steps=6, noise=0.2)
    meta = problem.initial_meta(0)
    found = []
    for chunk in (None, 1, 3, 64):
        estimator = Evolution(particles=10, chunk=chunk, **mode)
        carry = estimator.start(problem, meta, 0)
        for _ in range(3):
            one, carry = estimator.estimate(problem, meta, carry)
        found.append(one.gradient["learning_rate"])
    torch.testing.assert_close(torch.stack(found), found[0].expand(4), rtol=1e-9, atol=0)


def test_what_all_particles_share_is_not_copied_for_each() -> None:
    """A batch that is gathered by a shared seed is one batch."""
    seen = []

    def function(tree: dict) -> torch.Tensor:
        seen.append(torch._C._functorch.is_batchedtensor(tree["seed"]))
        return tree["w"] * tree["seed"]

    w = torch.arange(4.0)
    alike = for_each(function, {"w": w, "seed": torch.full((4,), 3)}, chunk=4)
    apart = for_each(function, {"w": w, "seed": torch.arange(4)}, chunk=4)
    assert seen == [False, True]
    assert alike.tolist() == [0.0, 3.0, 6.0, 9.0]
    assert apart.tolist() == [0.0, 1.0, 4.0, 9.0]
