"""The noisy quadratic of Wu, Ren, Liao and Grosse, "Understanding short-horizon bias" (2018).

Gradient descent on ½ Σ h x², with gradients h x + noise of variance c·h, has second moments that
follow a recurrence without randomness:

    E[x²] ← (1 − αh)² E[x²] + α² c h,      ℓ = ½ Σ h E[x²]

The curvatures h are log-spaced from 1/κ to 1, and every E[x²] starts at 1. With that start and
that loss, κ = 1000, 50 curvatures, c = 1 and T = 250, the greedy schedule, which takes the best
learning rate for the next loss every time, ends at ℓ = 0.2153; the best schedule ends at 0.1189.
"""

import torch
from torch import Tensor

from engine.dynamical_system import DynamicalSystem
from engine.inner_tasks.inner_task import Params
from engine.inner_tasks.quadratic import log_spaced
from engine.problem import Hyper, Meta
from engine.rolling import loss_weight
from engine.spec import inner_tasks as options


class ExactNoisyQuadratic(DynamicalSystem):
    """The recurrence with its adjoint, coordinate by coordinate."""

    @torch.no_grad()
    def exact(self, meta: Meta, seed: int) -> tuple[float, Meta]:
        """F(θ) and dF/dθ in float64, with the shapes of `meta`."""
        h, c = self.task.curvature.double(), self.task.noise
        [learning_rate] = self.meta_parameters
        rates = self._rates(meta)
        shrinking, added = (1.0 - rates * h) ** 2, rates**2 * c * h
        slopes = h.new_tensor([loss_weight(self, t + 1) for t in range(self.horizon)])
        slopes = slopes[:, None] * 0.5 * h

        moments = [self.task.initial_params(seed)["second_moment"].double()]
        for shrunk, more in zip(shrinking, added, strict=True):
            moments.append(shrunk * moments[-1] + more)
        adjoints = [slopes[-1]]
        for shrunk, slope in zip(shrinking[1:].flip(0), slopes[:-1].flip(0), strict=True):
            adjoints.append(shrunk * adjoints[-1] + slope)

        before, after = torch.stack(moments[:-1]), torch.stack(moments[1:])
        by_rate = 2.0 * h * (rates * c - (1.0 - rates * h) * before)
        by_value = torch.stack(adjoints[::-1]) * by_rate
        loss = float((slopes * after).sum())
        return loss, learning_rate.collected(meta, "second_moment", by_value)

    def _rates(self, meta: Meta) -> Tensor:
        """α at every step, for all curvatures or each; float64, shape [T, 1 or dimension]."""
        [learning_rate] = self.meta_parameters
        double = {name: leaf.double() for name, leaf in meta.items()}
        hypers = [learning_rate.hyper(double, self._names, t) for t in range(self.horizon)]
        return torch.stack([hyper["learning_rate"]["second_moment"] for hyper in hypers]).reshape(
            self.horizon, -1
        )


class NoisyQuadratic:
    """The parameters are the second moments E[x²], one for every curvature."""

    problem = ExactNoisyQuadratic

    def __init__(
        self, options: options.NoisyQuadratic, *, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.noise = options.noise
        self.curvature = log_spaced(options.dimension, options.condition_number).to(device, dtype)

    def initial_params(self, seed: int) -> Params:
        return {"second_moment": torch.ones_like(self.curvature)}

    def transition(self, params: Params, hyper: Hyper, seed: Tensor, t: int | Tensor) -> Params:
        rate, h = hyper["learning_rate"]["second_moment"], self.curvature
        moment = (1.0 - rate * h) ** 2 * params["second_moment"] + rate**2 * self.noise * h
        return {"second_moment": moment}

    def validation_loss(self, params: Params, seed: Tensor) -> Tensor:
        return 0.5 * (self.curvature * params["second_moment"]).sum()
