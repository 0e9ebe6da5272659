"""Options of backpropagation through the whole inner loop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import ValidationInfo, field_validator

from engine.spec.errors import FieldError
from engine.spec.estimator import Estimator
from engine.spec.estimators.products import Products, refused_products
from engine.spec.options import option

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment


class Unrolled(Estimator):
    """Backpropagation through the whole inner loop."""

    title: ClassVar[str] = "Unrolled"
    implementation: ClassVar[str] = "engine.estimators.unrolled:Unrolled"
    exact: ClassVar[bool] = True
    lengths: ClassVar[tuple[str, ...]] = ("segment",)

    kind: Literal["unrolled"] = "unrolled"
    storage: Literal["full", "per_step", "checkpoint"] = "checkpoint"
    """Keep the graph of all steps; or the state of every step and one step's graph at a time; or
    states at checkpoints and one segment's graph at a time."""
    segment: int | None = option(None, ge=1, le=100_000, unit="inner steps")
    """Steps between two checkpoints; nothing means as few bytes as one replay allows, in segments
    that shrink towards the end of the inner loop."""
    products: Products = "reverse_over_reverse"
    """How second derivatives are taken, with the same result: by a backward pass over a backward
    pass, which keeps the graph of every inner gradient; or, to save that memory, by a forward-mode
    derivative of a backward pass (mixed mode)."""
    save_gradients: bool = False
    """Keep every step's inner gradient beside its state, so that a replayed step only updates;
    needs mixed mode, and one more gradient's memory for each step."""
    offload: bool = False
    """Keep on the CPU what waits for the way back, where the inner loop runs on CUDA."""

    @field_validator("segment")
    @classmethod
    def _has_checkpoints(cls, segment: int | None, known: ValidationInfo) -> int | None:
        if segment is not None and known.data.get("storage") == "per_step":
            raise ValueError("a segment belongs to the storage 'checkpoint'; allowed here: nothing")
        return segment

    @field_validator("save_gradients")
    @classmethod
    def _of_replayed_steps(cls, save: bool, known: ValidationInfo) -> bool:
        if save and known.data.get("products") == "reverse_over_reverse":
            raise ValueError(
                "reverse over reverse needs the graph of each inner gradient; "
                "allowed: false, or products 'forward_over_reverse'"
            )
        if save and known.data.get("storage") == "full":
            raise ValueError("the storage 'full' replays no step; allowed: false")
        return save

    @property
    def label(self) -> str:
        segment = f" every {self.segment}" if self.segment else ""
        mixed = ", mixed mode" if self.products == "forward_over_reverse" else ""
        saved = ", gradients saved" if self.save_gradients else ""
        offloaded = ", offloaded" if self.offload else ""
        return f"Unrolled, {self.storage.replace('_', ' ')}{segment}{mixed}{saved}{offloaded}"

    @property
    def needs_inner_gradient(self) -> bool:
        return self.products == "forward_over_reverse"

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        yield from super().refusals(experiment, path)
        yield from refused_products(self.products, experiment, path)
