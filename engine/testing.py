"""The contract of estimators as tests to inherit: one class for one estimator of your own.

    class TestMine(EstimatorContract):
        @pytest.fixture
        def estimator(self):
            return Mine(window=5)

`Mine` subclasses `engine.estimators.Estimator`: it gives `meta_gradient`, and `options_type`, a
subclass of `engine.spec.estimator.Estimator` with a `title`, a `kind` and the options as fields.

What is asked follows the capabilities that these options declare: an `exact` one must equal closed
forms and finite differences, a `stochastic` one must draw from its seed alone, any other must not
draw at all. One that claims to be unbiased inherits `UnbiasedEstimatorContract`. Needs pytest.
"""

from __future__ import annotations

import io
import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from engine import trees
from engine.estimators import Carry, Estimate, Estimator
from engine.problem import Meta, Problem
from engine.rolling import roll
from engine.testing_problems import Lottery, Objective, Recurrence, Ridge, learner

OBJECTIVES: tuple[Objective, ...] = ("final", "average")
TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-9}
"""Largest relative error of an exact estimator against a closed form."""
PROBLEMS = (Ridge, Recurrence, learner)


class EstimatorContract:
    """Inherit it and give a fixture `estimator`; every problem that its `check` accepts is tried.

    An estimator that is exact, or that does not differentiate, must accept what a user wrote,
    unless it declares that it learns initial parameters only, or choices, or needs an inner
    gradient.
    """

    def problems(self, estimator: Estimator, dtype: torch.dtype = torch.float64) -> list[Problem]:
        """The problems, of those here, that `estimator` can handle. At least one."""
        makers = (Lottery,) if estimator.options.only_choices else PROBLEMS
        every = [make(dtype=dtype, objective=each) for make in makers for each in OBJECTIVES]
        accepted = [problem for problem in every if _accepts(estimator, problem)]
        assert accepted, "no problem was accepted"
        return accepted

    def test_what_a_user_wrote_is_accepted(self, estimator: Estimator) -> None:
        if estimator.options.only_initialisation or estimator.options.only_choices:
            return
        if estimator.options.exact or not estimator.options.differentiates:
            accepted = {type(problem) for problem in self.problems(estimator)}
            assert Ridge in accepted
            assert Recurrence in accepted or estimator.options.needs_inner_gradient

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
    def test_the_gradient_is_a_tree_like_theta(
        self, estimator: Estimator, dtype: torch.dtype
    ) -> None:
        for problem in self.problems(estimator, dtype):
            meta = problem.initial_meta(0)
            gradient = _first(estimator, problem, meta).gradient
            assert list(gradient) == list(meta)
            for name, leaf in meta.items():
                assert gradient[name].shape == leaf.shape
                assert gradient[name].dtype == leaf.dtype
                assert gradient[name].device == leaf.device
                assert not gradient[name].requires_grad

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
    def test_exact_ones_equal_the_closed_form(
        self, estimator: Estimator, dtype: torch.dtype
    ) -> None:
        if not estimator.options.exact:
            return
        for problem in self.problems(estimator, dtype):
            if not hasattr(problem, "exact"):
                continue
            meta = problem.initial_meta(0)
            loss, exact = problem.exact(meta, 0)
            found = _first(estimator, problem, meta)
            error = (trees.flat(found.gradient) - trees.flat(exact)).norm()
            assert error < TOLERANCE[dtype] * trees.flat(exact).norm()
            assert found.meta_loss == pytest.approx(loss, rel=TOLERANCE[dtype])

    def test_exact_ones_equal_central_differences(self, estimator: Estimator) -> None:
        if not estimator.options.exact:
            return
        for problem in self.problems(estimator):
            meta = problem.initial_meta(0)
            expected = _central_differences(problem, meta)
            found = trees.flat(_first(estimator, problem, meta).gradient)
            assert (found - expected).norm() < 1e-6 * expected.norm()

    def test_the_same_carry_gives_the_same_bits(self, estimator: Estimator) -> None:
        for problem in self.problems(estimator):
            meta = problem.initial_meta(0)
            carry = estimator.start(problem, meta, 0)
            for _ in range(2):
                found, following = estimator.estimate(problem, meta, carry)
                again, following_again = estimator.estimate(problem, meta, carry)
                assert _same_estimate(found, again)
                assert _same(following, following_again)
                carry = following

    def test_a_whole_loop_is_one_estimate_unless_that_sees_a_window(
        self, estimator: Estimator
    ) -> None:
        for problem in self.problems(estimator):
            meta = problem.initial_meta(0)
            carry = estimator.start(problem, meta, 0)
            whole = estimator.whole_loop(problem, meta, carry)
            assert whole.cost.inner_steps >= problem.horizon
            if not estimator.options.partial:
                assert _same_estimate(whole, estimator.estimate(problem, meta, carry)[0])

    def test_a_carry_goes_on_from_a_file(self, estimator: Estimator) -> None:
        for problem in self.problems(estimator):
            meta = problem.initial_meta(0)
            _, carry = estimator.estimate(problem, meta, estimator.start(problem, meta, 0))
            restored = _from_file(carry)
            for _ in range(3):
                found, carry = estimator.estimate(problem, meta, carry)
                again, restored = estimator.estimate(problem, meta, restored)
                assert _same_estimate(found, again)

    def test_nothing_that_is_given_is_changed(self, estimator: Estimator) -> None:
        for problem in self.problems(estimator):
            meta = problem.initial_meta(0)
            carry = estimator.start(problem, meta, 0)
            for _ in range(3):
                given = (meta, carry, _tensors_of(problem))
                before = _copied(given)
                _, following = estimator.estimate(problem, meta, carry)
                assert _same(given, before)
                carry = following

    def test_only_stochastic_ones_draw(self, estimator: Estimator) -> None:
        for problem in self.problems(estimator):
            meta = problem.initial_meta(0)
            carry = estimator.start(problem, meta, 0)
            first, second = (
                estimator.estimate(problem, meta, {**carry, "draw": draw})[0] for draw in (1, 2)
            )
            same = _same(first.gradient, second.gradient)
            assert same != bool(estimator.options.stochastic)

    def test_a_seed_fixes_the_draws_and_the_global_generator_is_left_alone(
        self, estimator: Estimator
    ) -> None:
        for problem in self.problems(estimator):
            meta = problem.initial_meta(0)
            torch.manual_seed(1)
            first = _first(estimator, problem, meta)
            after = torch.get_rng_state()
            torch.manual_seed(1)
            assert torch.equal(after, torch.get_rng_state())
            torch.manual_seed(2)
            assert _same_estimate(first, _first(estimator, problem, meta))

    def test_the_callers_grad_mode_does_not_matter(self, estimator: Estimator) -> None:
        for problem in self.problems(estimator):
            meta = problem.initial_meta(0)
            plain = _first(estimator, problem, meta)
            with torch.no_grad():
                assert _same_estimate(plain, _first(estimator, problem, meta))
            tracked = {name: leaf.clone().requires_grad_() for name, leaf in meta.items()}
            assert _same_estimate(plain, _first(estimator, problem, tracked))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
    def test_costs_are_counted(self, estimator: Estimator, dtype: torch.dtype) -> None:
        for problem in self.problems(estimator, dtype):
            cost = _first(estimator, problem, problem.initial_meta(0)).cost
            assert cost.seconds > 0.0
            assert cost.inner_steps > 0
            assert cost.gradient_evaluations >= 0
            assert cost.hessian_vector_products >= 0

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
    def test_health_is_finite_where_the_loop_is(
        self, estimator: Estimator, dtype: torch.dtype
    ) -> None:
        for problem in self.problems(estimator, dtype):
            found = _first(estimator, problem, problem.initial_meta(0))
            assert found.health.finite
            assert math.isfinite(found.meta_loss)
            size = float(trees.flat(found.gradient).norm())
            assert found.health.gradient_norm == pytest.approx(size, rel=1e-5, abs=1e-12)

    def test_what_is_not_finite_is_told_and_not_replaced(self, estimator: Estimator) -> None:
        for problem in self.problems(estimator):
            meta = problem.initial_meta(0)
            broken = {name: torch.full_like(leaf, torch.inf) for name, leaf in meta.items()}
            found = _first(estimator, problem, broken)
            values = torch.cat([trees.flat(found.gradient), torch.tensor([found.meta_loss])])
            assert not values.isfinite().all()
            assert not found.health.finite
            assert found.health.notes


class UnbiasedEstimatorContract(EstimatorContract):
    """For estimators that claim no bias for a meta-loss which is quadratic in θ, or an expectation.

    A smoothed objective has the gradient of the objective itself there. `draws` estimates are
    averaged, each from a fresh start with a draw of its own: estimates that go on with one carry
    may depend on each other.
    """

    draws = 200

    def test_the_mean_is_within_four_standard_errors(self, estimator: Estimator) -> None:
        for objective in OBJECTIVES:
            make = Lottery if estimator.options.only_choices else learner
            problem = make(dtype=torch.float64, objective=objective)
            if not _accepts(estimator, problem):
                continue
            meta = problem.initial_meta(0)
            exact = trees.flat(problem.exact(meta, 0)[1])
            carry = estimator.start(problem, meta, 0)
            estimates = [
                estimator.estimate(problem, meta, {**carry, "draw": draw})[0]
                for draw in range(self.draws)
            ]
            draws = torch.stack([trees.flat(one.gradient) for one in estimates])
            standard_error = draws.std(0) / self.draws**0.5
            assert ((draws.mean(0) - exact).abs() <= 4 * standard_error + 1e-9).all()


def _accepts(estimator: Estimator, problem: Problem) -> bool:
    try:
        estimator.check(problem)
    except ValueError:
        return False
    return True


def _first(estimator: Estimator, problem: Problem, meta: Meta) -> Estimate:
    return estimator.estimate(problem, meta, estimator.start(problem, meta, 0))[0]


@torch.no_grad()
def _central_differences(problem: Problem, meta: Meta, step: float = 1e-5) -> Tensor:
    """dF/dθ by [F(θ + h e) − F(θ − h e)] / 2h, flat."""

    def meta_loss(theta: Tensor) -> float:
        parts = theta.split([leaf.numel() for leaf in meta.values()])
        named = {
            name: part.reshape(leaf.shape)
            for (name, leaf), part in zip(meta.items(), parts, strict=True)
        }
        return float(roll(problem, problem.initial_state(named, 0), named, 0, problem.horizon)[1])

    theta = trees.flat(meta)
    steps = step * torch.eye(len(theta), dtype=torch.float64)
    return torch.tensor(
        [(meta_loss(theta + e) - meta_loss(theta - e)) / (2 * step) for e in steps],
        dtype=torch.float64,
    )


def _from_file(carry: Carry) -> Carry:
    """`carry` as a checkpoint keeps it: written, and read back as data alone."""
    file = io.BytesIO()
    torch.save(carry, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def _tensors_of(problem: Problem) -> dict[str, Tensor]:
    return {name: value for name, value in vars(problem).items() if isinstance(value, Tensor)}


def _copied(tree: Any) -> Any:
    return pytree.tree_map(lambda x: x.clone() if isinstance(x, Tensor) else x, tree)


def _same(first: Any, second: Any) -> bool:
    """Equal in structure and to the last bit."""
    leaves, structure = pytree.tree_flatten(first)
    others, other_structure = pytree.tree_flatten(second)
    return structure == other_structure and all(
        torch.equal(a, b) if isinstance(a, Tensor) else a == b
        for a, b in zip(leaves, others, strict=True)
    )


def _same_estimate(first: Estimate, second: Estimate) -> bool:
    return first.meta_loss == second.meta_loss and _same(first.gradient, second.gradient)
