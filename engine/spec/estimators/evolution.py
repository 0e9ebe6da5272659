"""Options of evolution strategies."""

from typing import Any, ClassVar, Literal

from pydantic import ValidationInfo, field_validator

from engine.spec.estimator import Estimator, Need
from engine.spec.options import option

BY_WINDOWS = {"truncated_es": "truncated", "pes": "persistent", "noise_reuse": "reused noise"}


class Evolution(Estimator):
    """Evolution strategies: the gradient of a smoothed meta-loss from perturbed evaluations."""

    title: ClassVar[str] = "Evolution strategies"
    implementation: ClassVar[str] = "engine.estimators.evolution:Evolution"
    small: ClassVar[dict[str, Any]] = {"particles": 8, "sigma": 1e-6}
    differentiates: ClassVar[bool] = False
    stochastic: ClassVar[bool] = True
    lengths: ClassVar[tuple[str, ...]] = ("window",)

    kind: Literal["evolution"] = "evolution"
    mode: Literal["antithetic", "truncated_es", "pes", "noise_reuse"] = "antithetic"
    """Whole inner loops, each perturbation with both signs; or pairs of particles that take one
    window for each estimate, whose losses are weighted by the window's own perturbation (biased to
    short horizons), by the sum of the trajectory's perturbations so far (persistent: unbiased), or
    by one perturbation that a trajectory keeps (unbiased, often of less variance)."""
    window: int | None = option(None, ge=1, le=100_000, unit="inner steps", validate_default=True)
    """Window K of the modes truncated_es, pes and noise_reuse: θ changes after every window;
    nothing means whole inner loops."""
    particles: int = option(32, ge=2, le=1_000_000, multiple_of=2, unit="particles")
    """Evaluations of the meta-loss in one estimate: half of them with −ε."""
    sigma: float = option(0.01, gt=0.0, le=1e3)
    """Standard deviation σ of the perturbations of θ."""
    fitness_shaping: Literal["none", "centred_ranks", "standardised"] = "none"
    """The losses themselves, their ranks, or losses of mean 0 and deviation 1. A shaped estimate is
    a direction on a scale of its own, and so biased; with ranks, outliers count for less."""
    chunk: int | None = option(None, ge=1, le=65_536, unit="particles")
    """Particles evaluated together; nothing means as many as fit chunk_bytes, or one by one where
    a single inner step is so large that vectorising does not pay."""
    chunk_bytes: float = option(256e6, gt=0.0, le=1e15, unit="bytes")
    """Memory for particles evaluated together, where chunk does not say how many."""

    @field_validator("window")
    @classmethod
    def _of_the_mode(cls, window: int | None, known: ValidationInfo) -> int | None:
        mode = known.data.get("mode")
        if mode in BY_WINDOWS and window is None:
            raise ValueError(f"the mode {mode!r} goes by windows; allowed: 1 to the horizon")
        if mode == "antithetic" and window is not None:
            raise ValueError(
                "the mode 'antithetic' takes whole inner loops; allowed: nothing, or the mode "
                + " or ".join(repr(name) for name in BY_WINDOWS)
            )
        return window

    @property
    def partial(self) -> bool:
        return self.mode in BY_WINDOWS

    @property
    def needs(self) -> tuple[Need, ...]:
        return () if self.chunk == 1 else ("particles",)

    @property
    def label(self) -> str:
        mode = f"{BY_WINDOWS[self.mode]} windows of {self.window}, " if self.partial else ""
        shaping = self.fitness_shaping.replace("_", " ")
        shaped = f", {shaping}" if shaping != "none" else ""
        return f"Evolution, {mode}{self.particles} particles, σ = {self.sigma:g}{shaped}"

    @property
    def smoothing(self) -> float | None:
        """Modes that perturb θ anew in every window smooth over a path of θ, not over θ."""
        return self.sigma if self.mode in ("antithetic", "noise_reuse") else None
