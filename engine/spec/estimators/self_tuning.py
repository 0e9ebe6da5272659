"""Options of self-tuning networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from engine.spec.errors import FieldError
from engine.spec.estimator import Estimator, Need
from engine.spec.options import option

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment


class SelfTuning(Estimator):
    """Learns how the best parameters respond to θ while it trains them (MacKay et al., 2019).

    An outer step is a window of inner steps of one learner, whose θ changes as it learns; after the
    horizon's last inner step a new learner begins.
    """

    title: ClassVar[str] = "Self-tuning network"
    implementation: ClassVar[str] = "engine.estimators.self_tuning:SelfTuning"
    small: ClassVar[dict[str, Any]] = {"window": 2, "sigma": 1e-6}
    stochastic: ClassVar[bool] = True
    needs_stationary_point: ClassVar[bool] = True
    lengths: ClassVar[tuple[str, ...]] = ("window",)
    most_entries: ClassVar[int] = 100
    """Beyond this many meta-parameters it is refused: the response has all inner parameters for
    each of them, and is learned along one direction at a time."""

    kind: Literal["self_tuning"] = "self_tuning"
    window: int = option(10, ge=1, le=100_000, unit="inner steps")
    """Inner steps of one estimate, before θ changes; each is taken at two perturbed θ."""
    sigma: float = option(0.1, gt=0.0, le=1e3)
    """How far every entry of θ is moved up or down in an inner step, in the units of θ."""
    response_rate: float = option(1.0, gt=0.0, lt=2.0)
    """Share of what an inner step shows of the response that is learned from it; below 1 the noise
    of several steps averages out."""

    @property
    def partial(self) -> bool:
        return True

    @property
    def label(self) -> str:
        rate = f", rate {self.response_rate:g}" if self.response_rate != 1.0 else ""
        return f"{self.title}, windows of {self.window}, σ = {self.sigma:g}{rate}"

    @property
    def needs(self) -> tuple[Need, ...]:
        return ("loss_gradient",)

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        yield from super().refusals(experiment, path)
        if experiment.objective != "final":
            yield FieldError(
                f"{path}.kind",
                self.kind,
                "the response is that of the learner as it is now; allowed: objective 'final'",
            )
        count = experiment.meta_parameter_count()
        if count > self.most_entries:
            yield FieldError(
                f"{path}.kind",
                self.kind,
                f"it keeps a response of all inner parameters to each of the {count:,} "
                f"meta-parameters; at most {self.most_entries} are allowed; use implicit",
            )
        for item in experiment.meta_parameters:
            if not item.in_inner_loss:
                yield FieldError(
                    f"{path}.kind",
                    self.kind,
                    f"cannot learn {item.kind!r}: what minimises the inner loss does not respond "
                    "to what is not in it; allowed: meta-parameters that are",
                )
