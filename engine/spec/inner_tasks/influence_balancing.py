"""A linear system whose short and long influences contradict each other."""

from typing import Any, ClassVar, Literal

from pydantic import ValidationInfo, field_validator

from engine.spec.inner_tasks.inner_task import InnerTask, Shapes
from engine.spec.options import option


class InfluenceBalancing(InnerTask):
    """A linear system whose long-range influences outweigh, and contradict, the short-range ones.

    s ← A s + θ · signs, A = ½ (identity + superdiagonal), θ the drive; meta-loss ½ (s[0] − 1)².
    """

    title: ClassVar[str] = "Influence balancing (Tallec and Ollivier, 2017)"
    implementation: ClassVar[str] = "engine.inner_tasks.influence_balancing:InfluenceBalancing"
    small: ClassVar[dict[str, Any]] = {"dimension": 4, "positive": 1}
    has_inner_loss: ClassVar[bool] = False
    reads: ClassVar[tuple[str, ...]] = ("drive",)

    kind: Literal["influence_balancing"] = "influence_balancing"
    dimension: int = option(23, ge=1, le=10_000, unit="entries")
    """Entries of the state."""
    positive: int = option(10, ge=0, le=10_000, unit="entries")
    """How many entries, counted from s[0], the drive enters with the sign +; the rest with −."""
    start: float = option(0.5, ge=-1e3, le=1e3)
    """The drive in whose steady state the system starts, whatever drive it gets from then on."""

    @field_validator("positive")
    @classmethod
    def _within_the_state(cls, positive: int, info: ValidationInfo) -> int:
        if positive > (most := info.data.get("dimension", positive)):
            raise ValueError(f"allowed: 0 to the dimension, {most}")
        return positive

    def parameter_shapes(self) -> Shapes:
        return {"s": (self.dimension,)}
