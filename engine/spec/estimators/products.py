"""How backpropagation takes the second derivatives of the inner loss."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from engine.spec.errors import FieldError

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment

Products = Literal["reverse_over_reverse", "forward_over_reverse"]
"""The third order, reverse over forward, is not offered: in torch 2.13 the gradient of a
forward-mode derivative is silently wrong where norms are fused, by 100 % for batch_norm."""


def refused_products(products: Products, experiment: Experiment, path: str) -> Iterator[FieldError]:
    """Mixed mode differentiates the gradient of an inner loss."""
    if products == "forward_over_reverse" and not experiment.inner_task.has_inner_loss:
        yield FieldError(
            f"{path}.products",
            products,
            f"{experiment.inner_task.kind!r} has no inner loss, so no inner gradient to take in "
            "forward mode; allowed: 'reverse_over_reverse'",
        )
