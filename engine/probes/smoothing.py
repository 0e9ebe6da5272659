"""What an evolution strategy aims at: the gradient of the smoothed meta-loss, beside g*.

    ∇ E_ε F(θ + σε) = E_ε g*(θ + σε),      ε ~ N(0, I)

It differs from g* wherever F bends by more than a parabola within σ, and where F is chaotic it is
the only one of the two that says where to go. Here it is the mean of exact meta-gradients at
antithetic pairs θ ± σε, whose odd terms cancel: for a quadratic F it equals g* to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.population import standard_normal
from engine.probes.bias import corrected_norm, ratio, variance_of
from engine.problem import Meta


@dataclass(frozen=True, kw_only=True)
class SmoothedTarget:
    """The gradient of the smoothed meta-loss, by Monte Carlo."""

    mean: Tensor
    """Flat, float64."""
    sampling_variance: float
    """tr Cov of `mean`, which comparisons with it take off."""

    def values(self, draws: list[Tensor], exact: Tensor) -> dict[str, float]:
        """Compare it with `exact`, g*, and the estimates `draws` with it; all of them flat.

        `bias_smoothed_relative` is the distance of the expected estimate from this target over
        the target's norm; `smoothing_distance` that of the target from g* over the norm of g*.
        Their squares are corrected for the sampling variance of the draws and of the target.
        """
        estimates = torch.stack(draws)
        norm = corrected_norm(self.mean, self.sampling_variance)
        noise = variance_of(estimates) / len(draws) + self.sampling_variance
        return {
            "smoothed_norm": norm,
            "smoothed_standard_error": self.sampling_variance**0.5,
            "smoothing_distance": ratio(
                corrected_norm(self.mean - exact, self.sampling_variance), float(exact.norm())
            ),
            "bias_smoothed_relative": ratio(
                corrected_norm(estimates.mean(0) - self.mean, noise), norm
            ),
        }


def smoothed_target(
    exact: Callable[[Meta], Tensor],
    meta: Meta,
    *,
    sigma: float,
    draws: int,
    source: torch.Generator,
) -> SmoothedTarget:
    """E_ε g*(θ + σε) at θ = `meta` from `draws` (even, 4 or more) calls of `exact`.

    `exact` gives g* at a θ as a flat float64 vector; `source` draws the perturbations.
    """
    directions = standard_normal(meta, draws // 2, source)
    pairs = torch.stack(
        [
            sum(
                0.5 * exact({name: x + sign * directions[name][pair] for name, x in meta.items()})
                for sign in (sigma, -sigma)
            )
            for pair in range(draws // 2)
        ]
    )
    return SmoothedTarget(mean=pairs.mean(0), sampling_variance=variance_of(pairs) / len(pairs))
