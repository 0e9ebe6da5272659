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
    """Tangents carried along the inner loop: exact, memory constant in T, cost grows with dim θ."""

    title: ClassVar[str] = "Forward mode"
    exact: ClassVar[bool] = True
    most_tangents: ClassVar[int] = 20_000
    """Beyond this many meta-parameters forward mode is refused, not left running for days."""

    kind: Literal["forward_mode"] = "forward_mode"
    chunk: int = option(8, ge=1, le=4096, unit="tangents")
    """Tangents carried together; more is faster and needs more memory."""

    @property
    def needs(self) -> tuple[Need, ...]:
        return ("tangents",)

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        yield from super().refusals(experiment, path)
        count = experiment.meta_parameter_count()
        if count > self.most_tangents:
            yield FieldError(
                f"{path}.kind",
                self.kind,
                f"forward mode carries one tangent for each of the {count:,} meta-parameters; "
                f"at most {self.most_tangents:,} are allowed; use unrolled with checkpoints",
            )
