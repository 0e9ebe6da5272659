"""Options of the searches inside a box: random, grid and Bayesian."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import ValidationInfo, field_validator

from engine.spec.errors import FieldError
from engine.spec.options import option
from engine.spec.searches.search import Search

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment


class BoxSearch(Search):
    """What the searches inside a box have in common: the box, and how many proposals at a time."""

    kind: str
    low: float = option(0.0, ge=-1e6, le=1e6)
    """Lowest value of every entry of θ; where the scale is log, θ is the natural logarithm."""
    high: float = option(1.0, ge=-1e6, le=1e6)
    """Highest value of every entry of θ; where the scale is log, θ is the natural logarithm."""
    population: int = option(8, ge=1, le=1_000_000, unit="particles")
    """Proposals in one generation."""
    chunk: int | None = option(None, ge=1, le=65_536, unit="particles")
    """Particles evaluated together; nothing means as many as fit chunk_bytes, or one by one where
    a single inner step is so large that vectorising does not pay."""
    chunk_bytes: float = option(256e6, gt=0.0, le=1e15, unit="bytes")
    """Memory for particles evaluated together, where chunk does not say how many."""

    @field_validator("high")
    @classmethod
    def _above_low(cls, high: float, known: ValidationInfo) -> float:
        if high <= (low := known.data.get("low", -math.inf)):
            raise ValueError(f"allowed: more than low, {low:g}")
        return high

    @property
    def label(self) -> str:
        return f"{self.title}, {self.population} in [{self.low:g}, {self.high:g}]"


class RandomSearch(BoxSearch):
    """Independent uniform proposals in a box; keeps the best (Bergstra and Bengio, 2012)."""

    title: ClassVar[str] = "Random search"
    implementation: ClassVar[str] = "engine.searches.box:Random"

    kind: Literal["random"] = "random"


class GridSearch(BoxSearch):
    """Every point of a regular grid once, in an order that the seed shuffles; keeps the best."""

    title: ClassVar[str] = "Grid search"
    implementation: ClassVar[str] = "engine.searches.box:Grid"
    small: ClassVar[dict[str, Any]] = {"points": 3, "population": 3}
    most_points: ClassVar[int] = 1_000_000
    """A grid of more points than this is refused: it grows with the power of dim θ."""

    kind: Literal["grid"] = "grid"
    points: int = option(400, ge=2, le=1_000_000, unit="points")
    """Values of every entry of θ, both ends among them; the grid has points^(dim θ) points."""

    @property
    def label(self) -> str:
        return f"Grid search, {self.points} in [{self.low:g}, {self.high:g}]"

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        yield from super().refusals(experiment, path)
        count = experiment.meta_parameter_count()
        if count * math.log(self.points) > math.log(self.most_points) + 1e-9:
            yield FieldError(
                f"{path}.points",
                self.points,
                f"a grid of {self.points:,} values for each of {count:,} meta-parameters has "
                f"more than the {self.most_points:,} points allowed; use random",
            )
            return
        generations = math.ceil(self.points**count / self.population)
        if experiment.outer.steps > generations:
            yield FieldError(
                "outer.steps",
                experiment.outer.steps,
                f"{path} is used up after {generations:,} generations of {self.population:,}; "
                f"allowed: 1 to {generations:,}, or more points, or a smaller population",
            )


class Bayesian(BoxSearch):
    """Optuna's tree of Parzen estimators in a box; keeps the best (Bergstra et al., 2011)."""

    title: ClassVar[str] = "Bayesian search"
    implementation: ClassVar[str] = "engine.searches.box:Bayesian"
    most_dimensions: ClassVar[int | None] = 100
    """Beyond this many meta-parameters its model of the meta-loss is no better than chance."""

    kind: Literal["bayesian"] = "bayesian"
