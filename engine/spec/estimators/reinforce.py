"""Options of the score-function estimator."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import ValidationInfo, field_validator

from engine.spec.estimator import Estimator, Need
from engine.spec.options import option


class Reinforce(Estimator):
    """The score function of a policy: choices are drawn, and good ones made more probable
    (Williams, 1992). Nothing but the policy is differentiated."""

    title: ClassVar[str] = "REINFORCE"
    implementation: ClassVar[str] = "engine.estimators.reinforce:Reinforce"
    differentiates: ClassVar[bool] = False
    stochastic: ClassVar[bool] = True
    only_choices: ClassVar[bool] = True
    small: ClassVar[dict[str, Any]] = {"samples": 200}

    kind: Literal["reinforce"] = "reinforce"
    samples: int = option(16, ge=1, le=1_000_000, unit="choices")
    """Choices drawn for one estimate; one that is drawn twice is trained once."""
    baseline: Literal["leave_one_out", "moving_average", "none"] = option(
        "leave_one_out", validate_default=True
    )
    """What is taken off a choice's loss, which changes the variance and not the mean: the mean of
    the others drawn with it, a moving average of the losses of earlier estimates, or nothing."""
    decay: float = option(0.9, ge=0.0, lt=1.0)
    """How much of the moving average an estimate keeps."""
    entropy_bonus: float = option(0.0, ge=0.0, le=1e6)
    """Weight of the policy's entropy, which the outer loop then raises too: it keeps on exploring
    for longer, and the estimate is biased by that."""
    chunk: int | None = option(None, ge=1, le=65_536, unit="choices")
    """Choices trained together; nothing means as many as fit chunk_bytes, or one by one where a
    single inner step is so large that vectorising does not pay."""
    chunk_bytes: float = option(256e6, gt=0.0, le=1e15, unit="bytes")
    """Memory for choices trained together, where chunk does not say how many."""

    @field_validator("baseline")
    @classmethod
    def _has_others(cls, baseline: str, known: ValidationInfo) -> str:
        if baseline == "leave_one_out" and known.data.get("samples") == 1:
            raise ValueError(
                "a single choice has no others beside it; allowed: 'moving_average', 'none', or "
                "at least 2 samples"
            )
        return baseline

    @property
    def needs(self) -> tuple[Need, ...]:
        return () if self.chunk == 1 else ("particles",)

    @property
    def label(self) -> str:
        baseline = self.baseline.replace("_", " ")
        bonus = f", entropy bonus {self.entropy_bonus:g}" if self.entropy_bonus else ""
        return f"REINFORCE, {self.samples} samples, baseline {baseline}{bonus}"
