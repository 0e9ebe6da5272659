"""Quadratics whose meta-gradient is known in closed form."""

from typing import Any, ClassVar, Literal

from engine.spec.inner_tasks.inner_task import InnerTask, Shapes
from engine.spec.options import option


class Quadratic(InnerTask):
    """A noisy quadratic bowl, solved in closed form: the place to see an estimator's error exactly.

    Inner loss ½ (w − c)ᵀ H (w − c) with H diagonal, meta-loss ½ ‖w − c′‖².
    """

    title: ClassVar[str] = "Quadratic with a closed-form oracle"
    implementation: ClassVar[str] = "engine.inner_tasks.quadratic:Quadratic"
    small: ClassVar[dict[str, Any]] = {"dimension": 4, "noise": 0.3}

    kind: Literal["quadratic"] = "quadratic"
    dimension: int = option(20, ge=1, le=1_000_000, unit="parameters")
    """Number of inner parameters."""
    condition_number: float = option(100.0, ge=1.0, le=1e12)
    """Largest over smallest curvature; the curvatures are log-spaced and end at 1."""
    noise: float = option(0.0, ge=0.0, le=1e6)
    """Standard deviation of the noise added to every inner gradient, fixed by the seed and step."""
    shift: float = option(0.5, ge=0.0, le=1e6)
    """Distance, per coordinate, between the optimum of training and the optimum of validation."""

    def parameter_shapes(self) -> Shapes:
        return {"w": (self.dimension,)}


class NoisyQuadratic(InnerTask):
    """A noisy quadratic, averaged over the noise: where a short horizon asks for too small steps.

    E[x²] ← (1 − αh)² E[x²] + α² c h for every curvature h, from E[x²] = 1; meta-loss ½ Σ h E[x²].
    """

    title: ClassVar[str] = "Noisy quadratic in expectation (Wu et al., 2018)"
    implementation: ClassVar[str] = "engine.inner_tasks.noisy_quadratic:NoisyQuadratic"
    small: ClassVar[dict[str, Any]] = {"dimension": 4}
    has_inner_loss: ClassVar[bool] = False
    reads: ClassVar[tuple[str, ...]] = ("learning_rate",)

    kind: Literal["noisy_quadratic"] = "noisy_quadratic"
    dimension: int = option(50, ge=1, le=1_000_000, unit="curvatures")
    """Number of curvatures h, each with one second moment E[x²]."""
    condition_number: float = option(1000.0, ge=1.0, le=1e12)
    """Largest over smallest curvature; the curvatures are log-spaced and end at 1."""
    noise: float = option(1.0, ge=0.0, le=1e6)
    """Level c of the gradient's noise, whose variance is c·h."""

    def parameter_shapes(self) -> Shapes:
        return {"second_moment": (self.dimension,)}
