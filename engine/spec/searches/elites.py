"""Options of the cross-entropy method."""

from typing import Any, ClassVar, Literal

from pydantic import ValidationInfo, field_validator

from engine.spec.options import option
from engine.spec.searches.search import Search


class Elites(Search):
    """The lecture's search: sample N(μ, σ²), keep the best, refit (cross-entropy method)."""

    title: ClassVar[str] = "Elites"
    implementation: ClassVar[str] = "engine.searches.elites:Elites"
    small: ClassVar[dict[str, Any]] = {"population": 8, "elites": 2}

    kind: Literal["elites"] = "elites"
    population: int = option(32, ge=2, le=1_000_000, unit="particles")
    """Proposals in one generation."""
    elites: int = option(8, ge=2, le=1_000_000, unit="particles")
    """How many of the best are kept to refit the distribution."""
    sigma: float = option(0.1, gt=0.0, le=1e3)
    """Standard deviation of the first generation, in the units of θ."""
    chunk: int | None = option(None, ge=1, le=65_536, unit="particles")
    """Particles evaluated together; nothing means as many as fit chunk_bytes, or one by one where
    a single inner step is so large that vectorising does not pay."""
    chunk_bytes: float = option(256e6, gt=0.0, le=1e15, unit="bytes")
    """Memory for particles evaluated together, where chunk does not say how many."""

    @field_validator("elites")
    @classmethod
    def _within_population(cls, elites: int, known: ValidationInfo) -> int:
        population = known.data.get("population", elites)
        if elites > population:
            raise ValueError(f"allowed: 2 to at most the population, {population}")
        return elites

    @property
    def label(self) -> str:
        return f"Elites, {self.elites} of {self.population}, σ = {self.sigma:g}"
