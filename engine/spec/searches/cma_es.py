"""Options of covariance matrix adaptation."""

from typing import Any, ClassVar, Literal

from engine.spec.options import option
from engine.spec.searches.search import Search


class CMAES(Search):
    """Covariance matrix adaptation: a search that learns the shape of N(μ, σ²C) (Hansen, 2016)."""

    title: ClassVar[str] = "CMA-ES"
    implementation: ClassVar[str] = "engine.searches.cma_es:CMAES"
    small: ClassVar[dict[str, Any]] = {"population": 6}
    most_dimensions: ClassVar[int | None] = 1_000
    """Beyond this many meta-parameters the covariance is too large to decompose every step."""

    kind: Literal["cma_es"] = "cma_es"
    population: int = option(16, ge=5, le=1_000_000, unit="particles")
    """Proposals in one generation."""
    sigma: float = option(0.1, gt=0.0, le=1e3)
    """Step size σ of the first generation, in the units of θ."""
    chunk: int | None = option(None, ge=1, le=65_536, unit="particles")
    """Particles evaluated together; nothing means as many as fit chunk_bytes, or one by one where
    a single inner step is so large that vectorising does not pay."""
    chunk_bytes: float = option(256e6, gt=0.0, le=1e15, unit="bytes")
    """Memory for particles evaluated together, where chunk does not say how many."""

    @property
    def label(self) -> str:
        return f"CMA-ES, {self.population} particles, σ = {self.sigma:g}"
