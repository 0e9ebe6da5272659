"""The contract refuses estimators that break it, each in one way, as they come in real code."""

from typing import ClassVar

import pytest
import torch

from engine.estimators import Evolution, Truncated, Unrolled
from engine.spec import estimators as options
from engine.testing import EstimatorContract, UnbiasedEstimatorContract


class ClaimsToBeExact(Truncated):
    class Options(options.Truncated):
        exact: ClassVar[bool] = True

    options_type = Options


class ChangesTheta(Unrolled):
    def meta_gradient(self, problem, meta, carry):
        next(iter(meta.values())).mul_(1.5)
        return super().meta_gradient(problem, meta, carry)


class DrawsFromTheGlobalGenerator(Unrolled):
    def meta_gradient(self, problem, meta, carry):
        found = super().meta_gradient(problem, meta, carry)
        found.gradient = {name: leaf + torch.randn(()) for name, leaf in found.gradient.items()}
        return found


class RemembersOnItself(Unrolled):
    calls = 0

    def meta_gradient(self, problem, meta, carry):
        self.calls += 1
        found = super().meta_gradient(problem, meta, carry)
        found.gradient = {name: leaf * self.calls for name, leaf in found.gradient.items()}
        return found


class ReplacesNan(Unrolled):
    def meta_gradient(self, problem, meta, carry):
        found = super().meta_gradient(problem, meta, carry)
        found.gradient = {name: torch.nan_to_num(leaf) for name, leaf in found.gradient.items()}
        found.meta_loss = 0.0
        return found


class ReturnsFloat64(Unrolled):
    def meta_gradient(self, problem, meta, carry):
        found = super().meta_gradient(problem, meta, carry)
        found.gradient = {name: leaf.double() for name, leaf in found.gradient.items()}
        return found


class ForgetsTheHalf(Evolution):
    """The factor ½ of antithetic pairs, left out."""

    def meta_gradient(self, problem, meta, carry):
        found = super().meta_gradient(problem, meta, carry)
        found.gradient = {name: 2.0 * leaf for name, leaf in found.gradient.items()}
        return found


CONTRACT, UNBIASED = EstimatorContract(), UnbiasedEstimatorContract()


@pytest.mark.parametrize(
    ("estimator", "broken"),
    [
        (ClaimsToBeExact(window=5), lambda e: CONTRACT.test_exact_ones_equal_the_closed_form(
            e, torch.float64)),
        (ClaimsToBeExact(window=5), CONTRACT.test_exact_ones_equal_central_differences),
        (ChangesTheta(), CONTRACT.test_nothing_that_is_given_is_changed),
        (DrawsFromTheGlobalGenerator(), CONTRACT.test_only_stochastic_ones_draw),
        (DrawsFromTheGlobalGenerator(), CONTRACT.
            test_a_seed_fixes_the_draws_and_the_global_generator_is_left_alone),
        (RemembersOnItself(), CONTRACT.test_the_same_carry_gives_the_same_bits),
        (ReplacesNan(), CONTRACT.test_what_is_not_finite_is_told_and_not_replaced),
        (ReturnsFloat64(), lambda e: CONTRACT.test_the_gradient_is_a_tree_like_theta(
            e, torch.float32)),
        (ForgetsTheHalf(particles=8, sigma=0.3),
            UNBIASED.test_the_mean_is_within_four_standard_errors),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_a_broken_estimator_fails(estimator, broken) -> None:
    with pytest.raises(AssertionError):
        broken(estimator)
