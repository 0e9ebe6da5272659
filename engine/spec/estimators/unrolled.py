"""Options of backpropagation through the whole inner loop."""

from typing import ClassVar, Literal

from pydantic import ValidationInfo, field_validator

from engine.spec.estimator import Estimator
from engine.spec.options import option


class Unrolled(Estimator):
    """Backpropagation through the whole inner loop."""

    title: ClassVar[str] = "Unrolled"
    exact: ClassVar[bool] = True
    lengths: ClassVar[tuple[str, ...]] = ("segment",)

    kind: Literal["unrolled"] = "unrolled"
    storage: Literal["full", "per_step", "checkpoint"] = "checkpoint"
    """Keep the graph of all steps; or the state of every step and one step's graph at a time; or
    states at checkpoints and one segment's graph at a time."""
    segment: int | None = option(None, ge=1, le=100_000, unit="inner steps")
    """Steps between two checkpoints; nothing means as few bytes as one replay allows, in segments
    that shrink towards the end of the inner loop."""

    @field_validator("segment")
    @classmethod
    def _has_checkpoints(cls, segment: int | None, known: ValidationInfo) -> int | None:
        if segment is not None and known.data.get("storage") == "per_step":
            raise ValueError("a segment belongs to the storage 'checkpoint'; allowed here: nothing")
        return segment

    @property
    def label(self) -> str:
        segment = f" every {self.segment}" if self.segment else ""
        return f"Unrolled, {self.storage.replace('_', ' ')}{segment}"
