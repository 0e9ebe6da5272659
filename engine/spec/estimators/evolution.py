"""Options of evolution strategies."""

from typing import ClassVar, Literal

from engine.spec.estimator import Estimator, Need
from engine.spec.options import option


class Evolution(Estimator):
    """Evolution strategies: the gradient of a smoothed meta-loss from perturbed evaluations."""

    title: ClassVar[str] = "Evolution strategies"
    differentiates: ClassVar[bool] = False
    stochastic: ClassVar[bool] = True

    kind: Literal["evolution"] = "evolution"
    mode: Literal["antithetic"] = "antithetic"
    """Each perturbation is used with both signs, on the same batches."""
    particles: int = option(32, ge=2, le=1_000_000, multiple_of=2, unit="particles")
    """Evaluations of the meta-loss in one estimate: half of them with −ε."""
    sigma: float = option(0.01, gt=0.0, le=1e3)
    """Standard deviation σ of the perturbations of θ."""
    chunk: int = option(16, ge=1, le=65_536, unit="particles")
    """Particles evaluated together; more is faster for small models and needs more memory."""

    @property
    def needs(self) -> tuple[Need, ...]:
        return ("particles",)

    @property
    def label(self) -> str:
        return f"Evolution, {self.particles} particles, σ = {self.sigma:g}"

    @property
    def smoothing(self) -> float | None:
        return self.sigma
