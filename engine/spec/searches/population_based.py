"""Options of population-based training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from engine.spec.errors import FieldError
from engine.spec.options import option
from engine.spec.searches.search import Search

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment


class PopulationBased(Search):
    """Learners train side by side; the worst copy the best and perturb θ (Jaderberg et al., 2017).

    An outer step is one interval of inner steps of every member. After the horizon's last inner
    step all members begin a new inner loop with the θ that they have by then.
    """

    title: ClassVar[str] = "Population-based training"
    implementation: ClassVar[str] = "engine.searches.population_based:PopulationBased"
    small: ClassVar[dict[str, Any]] = {"population": 4, "interval": 4}
    lengths: ClassVar[tuple[str, ...]] = ("interval",)

    kind: Literal["population_based"] = "population_based"
    population: int = option(16, ge=2, le=1_000_000, unit="members")
    """Learners that train side by side, each with its own θ."""
    interval: int = option(10, ge=1, le=100_000, unit="inner steps")
    """Inner steps of every member in one outer step, before they are compared; the last interval of
    an inner loop ends with it."""
    quantile: float = option(0.2, gt=0.0, le=0.5)
    """Share of the members that are replaced after an interval, the worst, and of those that they
    are replaced by, the best; at least one member."""
    sigma: float = option(0.1, gt=0.0, le=1e3)
    """Standard deviation of the first members' θ around the initial one, in the units of θ."""
    chunk: int | None = option(None, ge=1, le=65_536, unit="members")
    """Members trained together; nothing means as many as fit chunk_bytes, or one by one where a
    single inner step is so large that vectorising does not pay."""
    chunk_bytes: float = option(256e6, gt=0.0, le=1e15, unit="bytes")
    """Memory for members trained together, where chunk does not say how many."""

    @property
    def label(self) -> str:
        members = f"{self.population} members, every {self.interval}"
        return f"{self.title}, {members}, σ = {self.sigma:g}"

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        yield from super().refusals(experiment, path)
        if any(item.kind == "initialisation" for item in experiment.meta_parameters):
            yield FieldError(
                f"{path}.kind",
                self.kind,
                "it changes θ while the inner loop runs, and initial parameters act only before; "
                "allowed: meta-parameters that act at every inner step, or another search",
            )
