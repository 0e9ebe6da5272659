"""Influence balancing (Tallec and Ollivier, "Unbiased online recurrent optimization", 2018).

    s_{t+1} = A s_t + θ · signs,      A = ½ (identity + superdiagonal),      ℓ = ½ (s[0] − 1)²

The drive θ enters an entry near s[0] soon and with the sign +, and the many entries far from it
late and with the sign −. In the steady state s[0] = 2 (positive − negative) θ, so the long-range
influences win: a short window gets the sign of the meta-gradient wrong.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.dynamical_system import DynamicalSystem
from engine.inner_tasks.inner_task import Params
from engine.problem import Hyper, Meta
from engine.spec import inner_tasks as options


class ExactInfluenceBalancing(DynamicalSystem):
    """The system with its meta-gradient: the state is linear in θ, with ds_0/dθ = 0."""

    @torch.no_grad()
    def exact(self, meta: Meta, seed: int) -> tuple[float, Meta]:
        """F(θ) and dF/dθ in float64, from the recurrences of s_t and ds_t/dθ."""
        signs, drive = self.task.signs.double(), meta["drive"].double()
        state = self.task.initial_params(seed)["s"].double()
        slope = torch.zeros_like(state)
        losses, gradients = [], []
        for _ in range(self.horizon):
            state = mixed(state) + drive * signs
            slope = mixed(slope) + signs
            losses.append(0.5 * (state[0] - 1.0) ** 2)
            gradients.append((state[0] - 1.0) * slope[0])
        counted = slice(None) if self.objective == "average" else slice(-1, None)
        loss, gradient = (torch.stack(each[counted]).mean() for each in (losses, gradients))
        return loss.item(), {"drive": gradient}


class InfluenceBalancing:
    """The state starts where the drive `start` would hold it: no learned drive can move that."""

    problem = ExactInfluenceBalancing

    def __init__(
        self, options: options.InfluenceBalancing, *, device: torch.device, dtype: torch.dtype
    ) -> None:
        signs = torch.ones(options.dimension, dtype=torch.float64)
        signs[options.positive :] = -1.0
        # s = A s + θ · signs from the last entry to the first: s[i] = s[i + 1] + 2 θ signs[i].
        steady = 2.0 * signs.flip(0).cumsum(0).flip(0)
        self.signs = signs.to(device, dtype)
        self.initial = (options.start * steady).to(device, dtype)

    def initial_params(self, seed: int) -> Params:
        return {"s": self.initial}

    def transition(self, params: Params, hyper: Hyper, seed: Tensor, t: int | Tensor) -> Params:
        return {"s": mixed(params["s"]) + hyper["drive"]["s"] * self.signs}

    def validation_loss(self, params: Params, seed: Tensor) -> Tensor:
        return 0.5 * (params["s"][0] - 1.0) ** 2


def mixed(state: Tensor) -> Tensor:
    """A s: every entry with half of itself and half of the next one; shape [dimension]."""
    return 0.5 * (state + F.pad(state[1:], (0, 1)))
