"""What stands in for the losses of particles before antithetic pairs are differenced.

    none             the losses themselves: the estimate is a gradient
    centred_ranks    ranks from −½ (lowest loss) to ½ (highest), so that an outlier counts no more
                     than its place (Wierstra et al., 2014; Salimans et al., 2017)
    standardised     losses less their mean, over their standard deviation (Mania et al., 2018)

A shaped estimate is a direction on a scale of its own. Standardised, it is parallel to the
gradient's estimate; with ranks it is not, as a difference counts by how many others it outdoes.
That is the bias, and the price of not being thrown by outliers. The losses of an estimate are
shaped together, also those of different windows: by ranks, windows then weigh about alike however
far apart their losses are, which for the differences of objective `final` can mislead.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Shaping = Callable[[Tensor], Tensor]


def none(losses: Tensor) -> Tensor:
    return losses


def centred_ranks(losses: Tensor) -> Tensor:
    """Equal losses share the mean of their ranks; one that is not finite stays what it is."""
    _, place, counts = losses.unique(return_inverse=True, return_counts=True)
    ranks = counts.cumsum(0) - 0.5 * (counts + 1)
    centred = ranks / (len(losses) - 1) - 0.5
    return torch.where(losses.isfinite(), centred.to(losses)[place], losses)


def standardised(losses: Tensor) -> Tensor:
    """0 where all losses are equal."""
    deviations = losses - losses.mean()
    scale = losses.std(correction=0)
    return torch.where(scale == 0.0, torch.zeros_like(deviations), deviations / scale)


SHAPINGS: dict[str, Shaping] = {
    "none": none,
    "centred_ranks": centred_ranks,
    "standardised": standardised,
}
