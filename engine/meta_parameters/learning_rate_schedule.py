"""The learning rate of every inner step as a curve with two coefficients."""

from math import pi
from typing import Any

import torch
from torch import Tensor

from engine.meta_parameters.curves import over_steps
from engine.meta_parameters.meta_parameter import MetaParameter
from engine.pictures import Picture
from engine.problem import Hyper, Meta, Params

PREFIX = "learning_rate_schedule."


class LearningRateSchedule(MetaParameter):
    """With x = t / T, from 0 at the first step towards 1:

        cosine        α_t = end + (start − end) (1 + cos πx) / 2      (Loshchilov and Hutter, 2017)
        linear        α_t = start + (end − start) x                          (Vicol et al., 2021)
        exponential   α_t = start · decay^x

    θ holds the natural logarithms of both coefficients, each of shape []: every α_t stays positive.
    """

    name = "learning_rate"
    logarithmic = True

    def initial(self, params: Params, seed: int) -> Meta:
        some = next(iter(params.values()))
        start, end = self.options.start, self.options.end
        second = {"decay": end / start} if self.options.shape == "exponential" else {"end": end}
        return {
            f"{PREFIX}{part}": torch.tensor(value, dtype=torch.float64).log().to(some)
            for part, value in {"start": start, **second}.items()
        }

    def hyper(self, meta: Meta, names: list[str], t: int | Tensor) -> Hyper:
        start = meta[PREFIX + "start"]
        return {self.name: dict.fromkeys(names, self._rate(meta, torch.as_tensor(t).to(start)))}

    def _rate(self, meta: Meta, t: Tensor) -> Tensor:
        """α at the steps `t`, of their shape."""
        x = t / self.horizon
        start = meta[PREFIX + "start"]
        if self.options.shape == "exponential":
            return (start + x * meta[PREFIX + "decay"]).exp()
        end = meta[PREFIX + "end"].exp()
        left = 1.0 - x if self.options.shape == "linear" else 0.5 * (1.0 + torch.cos(pi * x))
        return end + (start.exp() - end) * left

    def _rates(self, meta: Meta) -> Tensor:
        """α_0 … α_{T−1}; shape [T]."""
        start = meta[PREFIX + "start"]
        return self._rate(meta, torch.arange(self.horizon).to(start))

    def collected(self, meta: Meta, name: str, by_value: Tensor) -> Meta:
        """dF/dθ from derivatives by the α_t that each step and entry saw, shape [T, *entries]."""
        double = {key: leaf.to(by_value) for key, leaf in meta.items() if key.startswith(PREFIX)}
        _, pull_back = torch.func.vjp(self._rates, double)
        return pull_back(by_value.flatten(1).sum(1))[0]

    def pictures(self, problem: Any, meta: Meta, seed: int) -> list[Picture]:
        before = self._rates(problem.initial_meta(seed))
        return [over_steps("learning_rate", "Learning rate", self._rates(meta), before)]
