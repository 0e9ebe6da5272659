"""Options of forward mode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from engine.spec.errors import FieldError
from engine.spec.estimator import Estimator, Need
from engine.spec.options import option

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment


class ForwardMode(Estimator):
    """Tangents carried along the inner loop: memory constant in T. Exact with one for every
    meta-parameter, unbiased with a few in random directions."""

    title: ClassVar[str] = "Forward mode"
    implementation: ClassVar[str] = "engine.estimators.forward_mode:ForwardMode"
    most_tangents: ClassVar[int] = 20_000
    """Beyond this many meta-parameters the exact gradient is refused, not left running for days."""

    kind: Literal["forward_mode"] = "forward_mode"
    random_directions: int | None = option(None, ge=1, le=20_000, unit="directions")
    """Random directions along which the meta-gradient is taken and put together: unbiased, of a
    variance that grows with the number of meta-parameters, at a cost that does not; nothing means
    along every meta-parameter, which is exact."""
    chunk: int | None = option(None, ge=1, le=20_000, unit="tangents")
    """Tangents carried together; nothing means as many as fit chunk_bytes."""
    chunk_bytes: float = option(256e6, gt=0.0, le=1e15, unit="bytes")
    """Memory for tangents carried together, where chunk does not say how many."""

    @property
    def label(self) -> str:
        if self.random_directions is None:
            return self.title
        plural = "s" if self.random_directions > 1 else ""
        return f"{self.title}, {self.random_directions} random direction{plural}"

    @property
    def exact(self) -> bool:
        return self.random_directions is None

    @property
    def stochastic(self) -> bool:
        return self.random_directions is not None

    @property
    def needs(self) -> tuple[Need, ...]:
        return ("tangents",)

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        yield from super().refusals(experiment, path)
        count = experiment.meta_parameter_count()
        if self.exact and count > self.most_tangents:
            yield FieldError(
                f"{path}.kind",
                self.kind,
                f"forward mode carries one tangent for each of the {count:,} meta-parameters; "
                f"at most {self.most_tangents:,} are allowed; use random_directions, or unrolled "
                "with checkpoints",
            )
