"""What the searches have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from engine.spec.errors import FieldError
from engine.spec.estimator import Estimator, Need

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment


class Search(Estimator):
    """What every search has in common: generations of proposals, evaluated together."""

    differentiates: ClassVar[bool] = False
    stochastic: ClassVar[bool] = True
    proposes: ClassVar[bool] = True
    most_dimensions: ClassVar[int | None] = None
    """Beyond this many meta-parameters the search is refused; nothing means never."""

    @property
    def needs(self) -> tuple[Need, ...]:
        return () if getattr(self, "chunk", None) == 1 else ("particles",)

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        yield from super().refusals(experiment, path)
        count = experiment.meta_parameter_count()
        if self.most_dimensions is not None and count > self.most_dimensions:
            yield FieldError(
                f"{path}.kind",
                self.kind,
                f"this search can model at most {self.most_dimensions:,} meta-parameters, and "
                f"there are {count:,}; allowed: fewer meta-parameters, elites, or an estimator of "
                "the meta-gradient",
            )
