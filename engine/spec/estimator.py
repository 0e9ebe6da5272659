"""What estimators and searches declare of themselves, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from engine.spec.errors import FieldError
from engine.spec.options import Part

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment

Need = Literal[
    "start", "loss_gradient", "adjoint", "inner_gradient", "curvature", "tangents", "particles",
]  # fmt: skip
"""What an inner loop must be able to do: a backward pass through s_0(θ), through the meta-loss,
through an inner step; first or second derivatives of the inner loss; forward-mode derivatives of
a step, several together; a step at several θ together."""


class Estimator(Part):
    """Declared capabilities: the builder, the compatibility rules and the probes read them."""

    kind: str
    differentiates: ClassVar[bool] = True
    """Needs a meta-loss and inner steps with derivatives."""
    exact: ClassVar[bool] = False
    """Returns the meta-gradient itself, up to rounding."""
    stochastic: ClassVar[bool] = False
    """Draws random numbers of its own: repeated estimates at one θ differ."""
    needs_stationary_point: ClassVar[bool] = False
    """Assumes that the inner loop ends where the inner loss has zero gradient."""
    only_initialisation: ClassVar[bool] = False
    """Can learn the initial parameters and nothing else."""
    only_choices: ClassVar[bool] = False
    """Can learn policies that draw choices, and nothing else; the others cannot learn these."""
    proposes: ClassVar[bool] = False
    """Is a search: proposes θ and has no gradient."""
    lengths: ClassVar[tuple[str, ...]] = ()
    """Options that count inner steps, and must not be longer than the inner loop."""

    @property
    def label(self) -> str:
        """A short name that tells it from its neighbours in a comparison."""
        return self.title

    @property
    def smoothing(self) -> float | None:
        """Standard deviation of the perturbations of θ, of an estimator that aims at the gradient
        of the smoothed meta-loss E_ε F(θ + σε) instead of g*; nothing for the others."""
        return None

    @property
    def partial(self) -> bool:
        """Whether one estimate sees a window of the inner loop, and several make up the whole."""
        return False

    @property
    def needs_inner_gradient(self) -> bool:
        """Whether a step must come apart into the gradient of an inner loss and an update."""
        return False

    @property
    def averages(self) -> bool:
        """Whether the estimate for a mean of meta-losses is the mean of the estimates: the inner
        loops of a meta-batch may then go together."""
        return self.exact

    @property
    def needs(self) -> tuple[Need, ...]:
        """What preflight tries on one inner step before a run."""
        if not self.differentiates:
            return ()
        # An inner gradient that is passed in mixed mode is never differentiated backward.
        return ("start", "loss_gradient") if self.needs_inner_gradient else ("adjoint",)

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        """Why this estimator, at `path` of `experiment`, cannot work with the rest of it."""
        horizon = experiment.inner.steps
        for name in self.lengths:
            length = getattr(self, name)
            if length is not None and length > horizon:
                yield FieldError(
                    f"{path}.{name}", length, f"allowed: 1 to the horizon, inner.steps = {horizon}"
                )
        for item in experiment.meta_parameters:
            if item.draws_choices and not self.only_choices:
                yield FieldError(
                    f"{path}.kind",
                    self.kind,
                    f"cannot learn {item.kind!r}: its meta-loss is a mean over the choices that it "
                    "draws, and an inner loop is that of one; allowed: reinforce",
                )
            if self.only_choices and not item.draws_choices:
                yield FieldError(
                    f"{path}.kind",
                    self.kind,
                    f"cannot learn {item.kind!r}: it draws nothing, so there is no choice to make "
                    "more probable; allowed meta-parameters: controller",
                )
        if self.differentiates and not experiment.inner_task.differentiable:
            yield FieldError(
                f"{path}.kind",
                self.kind,
                "this estimator differentiates the meta-loss, and accuracy has no gradient; "
                "allowed: evolution, a search, or inner_task.meta_loss 'cross_entropy'",
            )
