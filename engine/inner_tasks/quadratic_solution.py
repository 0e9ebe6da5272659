"""The meta-gradient of the quadratic written out by hand: the oracle of the quadratic task.

With gradient descent or momentum the inner loop is an affine recurrence in every coordinate,

    v' = μ v + (h + λ) w − h c + ρ (w − w_0) + noise · ξ_t,      w' = w − α_t v',

so its derivatives by α_t, λ, μ and w_0 are short products that need no automatic differentiation
(gradient descent is μ = 0; ρ is the weight of the proximal term, which ties every step to w_0, so
that w_0 appears in each of them). Everything here is float64, whatever the precision of the run.
"""

import torch
from torch import Tensor

from engine.inner_optimizers import SGD, Momentum
from engine.inner_tasks.quadratic import Quadratic
from engine.meta_parameters.initialisation import Initialisation
from engine.meta_parameters.learning_rate import LearningRate
from engine.meta_parameters.learning_rate_schedule import LearningRateSchedule
from engine.meta_parameters.optimizer import MomentumCoefficient
from engine.meta_parameters.regularizer import WeightDecay
from engine.problem import Learner, Meta

DOUBLE = torch.float64


class SolvedQuadratic(Learner):
    """A learner on the quadratic whose meta-loss and meta-gradient are known exactly."""

    @torch.no_grad()
    def exact(self, meta: Meta, seed: int) -> tuple[float, Meta]:
        """F(θ) and dF/dθ in float64, with the shapes of `meta`."""
        task = self.task
        curvature, optimum = task.curvature.to(DOUBLE), task.optimum.to(DOUBLE)
        target = task.validation_optimum.to(DOUBLE)
        start = self.initial_state(meta, seed)
        seed_tensor, w = start["seed"], start["params"]["w"].to(DOUBLE)
        v = torch.zeros_like(w)
        rates, decays, momenta = self._coefficients(meta)
        weights = self._loss_weights()

        stiffness, tied = curvature + decays + self.proximal, self.proximal * w
        trajectory, meta_loss = [], torch.zeros((), dtype=DOUBLE, device=w.device)
        for t in range(self.horizon):
            noise = task.batch(seed_tensor, t)
            pull = -curvature * optimum - tied + (0.0 if noise is None else noise.to(DOUBLE))
            next_v = momenta * v + stiffness * w + pull
            trajectory.append((w, v, next_v))
            w, v = w - rates[t] * next_v, next_v
            meta_loss += weights[t] * 0.5 * ((w - target) ** 2).sum()
            trajectory[-1] += (weights[t] * (w - target),)

        by_w = torch.zeros_like(w)
        by_v, by_tied = torch.zeros_like(w), torch.zeros_like(w)
        by_rate, by_decay, by_momentum = [], torch.zeros_like(w), torch.zeros_like(w)
        for t in reversed(range(self.horizon)):
            w, v, next_v, direct = trajectory[t]
            by_w = by_w + direct
            by_rate.append(-by_w * next_v)
            by_next_v = by_v - rates[t] * by_w
            by_decay += by_next_v * w
            by_momentum += by_next_v * v
            by_tied -= by_next_v
            by_w, by_v = by_w + stiffness * by_next_v, momenta * by_next_v

        by_hyper = {
            "learning_rate": torch.stack(by_rate[::-1]),
            "weight_decay": by_decay[None],
            "momentum": by_momentum[None],
        }
        return meta_loss.item(), self._by_meta(meta, by_hyper, by_w + self.proximal * by_tied)

    def _coefficients(self, meta: Meta) -> tuple[list[Tensor], Tensor, Tensor]:
        """α_t for every t, λ and μ, each a number or one value a coordinate."""
        hypers = [self.hyper(meta, t) for t in range(self.horizon)]

        def value(hyper: dict, name: str) -> Tensor:
            found = hyper[name]["w"] if name in hyper else 0.0
            return torch.as_tensor(found, dtype=DOUBLE, device=self.task.optimum.device)

        rates = [value(hyper, "learning_rate") for hyper in hypers]
        return rates, value(hypers[0], "weight_decay"), value(hypers[0], "momentum")

    def _loss_weights(self) -> list[float]:
        """c_{t+1} for t = 0 … T − 1."""
        if self.objective == "average":
            return [1.0 / self.horizon] * self.horizon
        return [0.0] * (self.horizon - 1) + [1.0]

    def _by_meta(self, meta: Meta, by_hyper: dict[str, Tensor], by_start: Tensor) -> Meta:
        """Collect derivatives by step and coordinate, shape [T or 1, dimension], into θ's."""
        gradient: Meta = {}
        for item in self.meta_parameters:
            if isinstance(item, Initialisation):
                gradient["initialisation.w"] = by_start
                continue
            gradient |= item.collected(meta, "w", by_hyper[item.name])
        return gradient


SOLVED = (LearningRate, LearningRateSchedule, WeightDecay, MomentumCoefficient, Initialisation)


def has_closed_form(task: object, optimizer: object, meta_parameters: list) -> bool:
    """Whether `SolvedQuadratic` knows the meta-gradient of this learner."""
    return (
        isinstance(task, Quadratic)
        and isinstance(optimizer, SGD | Momentum)
        and all(type(item) in SOLVED for item in meta_parameters)
    )
