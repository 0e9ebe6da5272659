"""What stands in the way of an estimator, in words. Free of torch: web processes show it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """One thing that preflight found: an error refuses the run, a warning is only said."""

    level: Level = "error"
    need: str
    """What was tried, such as "a backward pass through an inner step"."""
    reason: str
    """What went wrong; names the operation and the place, where they are known."""
    operation: str = ""
    """The operation to blame, such as "aten::_ctc_loss_backward"; empty where none is."""
    cure: str = ""
    """What works instead; empty where nothing is known."""

    def __str__(self) -> str:
        cure = f" Cure: {self.cure}." if self.cure else ""
        return f"{self.need}: {self.reason}.{cure}"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def errors(obstacles: list[Obstacle]) -> list[Obstacle]:
    """Those that refuse the run."""
    return [obstacle for obstacle in obstacles if obstacle.level == "error"]


def refusal(obstacles: list[Obstacle]) -> str:
    """Why a run is refused, in sentences."""
    sentences = [str(obstacle) for obstacle in errors(obstacles)]
    return " ".join(
        ["Refused before the first step.", *(text[:1].upper() + text[1:] for text in sentences)]
    )
