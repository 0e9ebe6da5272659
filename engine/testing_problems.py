"""Problems on which an estimator can be held to account: closed forms and other people's states.

Three are written as a user would write them, from the contract alone; one is a registered task.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import torch
from torch import Tensor

from engine.building import build_problem
from engine.gradient_step import GradientStep
from engine.problem import Meta, Problem, State
from engine.spec import validate

Objective = Literal["final", "average"]
HORIZON = 12


class Ridge(GradientStep):
    """Ridge regression by gradient descent, written as a user would, with every figure by hand.

    w_{t+1} = w_t − α_t (h (w_t − c) + λ w_t), where the rate α_t is 0.3 after an even number of
    steps and 0.1 after an odd one. The number is in the state, as an integer tensor. θ is λ and
    w_0, both of shape [3]; ℓ = ½ ‖w − 1‖², which is quadratic in w_0.
    """

    def __init__(self, *, dtype: torch.dtype, objective: Objective = "final") -> None:
        self.horizon = HORIZON
        self.objective = objective
        self.curvature = torch.tensor([0.2, 1.0, 2.0], dtype=dtype)
        self.optimum = torch.tensor([1.5, -0.5, 2.0], dtype=dtype)
        self.none_done = torch.tensor(0)

    def initial_meta(self, seed: int) -> Meta:
        start = torch.tensor([-1.0, 0.5, 3.0]).to(self.optimum) + 0.01 * seed
        return {"decay": torch.full_like(start, 0.4), "start": start}

    def initial_state(self, meta: Meta, seed: int) -> State:
        return {"params": {"w": meta["start"]}, "done": self.none_done}

    def training_loss(self, state: State, meta: Meta, t: int) -> Tensor:
        return self.inner_loss(state["params"], meta)

    def updated(self, state: State, gradients: dict[str, Tensor], meta: Meta, t: int) -> State:
        w = state["params"]["w"]
        rate = torch.where(state["done"] % 2 == 0, 0.3, 0.1).to(w)
        return {"params": {"w": w - rate * gradients["w"]}, "done": state["done"] + 1}

    def meta_loss(self, state: State, meta: Meta, t: int) -> Tensor:
        return 0.5 * ((state["params"]["w"] - 1.0) ** 2).sum()

    def inner_loss(self, params: dict[str, Tensor], meta: Meta) -> Tensor:
        fit = self.curvature * (params["w"] - self.optimum) ** 2
        return 0.5 * (fit + meta["decay"] * params["w"] ** 2).sum()

    def exact(self, meta: Meta, seed: int) -> tuple[float, Meta]:
        """From w_t = w* + Π_{s<t} (1 − α_s (h + λ)) (w_0 − w*), with w* = h c / (h + λ)."""
        theta = {name: leaf.detach().requires_grad_() for name, leaf in meta.items()}
        with torch.enable_grad():
            stiffness = self.curvature + theta["decay"]
            optimum = self.curvature * self.optimum / stiffness
            rates = torch.tensor([0.3, 0.1] * (self.horizon // 2)).to(optimum)
            left = (1.0 - rates[:, None] * stiffness).cumprod(0)
            w = optimum + left * (theta["start"] - optimum)
            losses = 0.5 * ((w - 1.0) ** 2).sum(1)
            loss = losses[-1] if self.objective == "final" else losses.mean()
        gradient = torch.autograd.grad(loss, list(theta.values()))
        return loss.item(), dict(zip(theta, gradient, strict=True))


class Recurrence:
    """s_{t+1} = s_t where a mask is set, else tanh(gain · A s_t + bias): curved, no closed form."""

    def __init__(self, *, dtype: torch.dtype, objective: Objective = "final") -> None:
        self.horizon = HORIZON
        self.objective = objective
        self.matrix = torch.tensor([[0.5, -0.8, 0.1], [0.9, 0.4, 0.2], [0.0, 0.3, 0.7]]).to(dtype)
        self.still = torch.tensor([False, False, True])

    def initial_meta(self, seed: int) -> Meta:
        return {
            "gain": torch.tensor(0.9).to(self.matrix),
            "bias": torch.tensor([0.1, -0.2, 0.3]).to(self.matrix),
        }

    def initial_state(self, meta: Meta, seed: int) -> State:
        return {"params": {"s": 0.5 + meta["bias"]}, "still": self.still}

    def step(self, state: State, meta: Meta, t: int) -> State:
        s = state["params"]["s"]
        moved = torch.tanh(meta["gain"] * (self.matrix @ s) + meta["bias"])
        return {"params": {"s": torch.where(state["still"], s, moved)}, "still": state["still"]}

    def meta_loss(self, state: State, meta: Meta, t: int) -> Tensor:
        return (state["params"]["s"] ** 2).sum() + 0.1 * meta["gain"] ** 2


class Lottery:
    """Two decisions of three options each draw where w goes: w_{t+1} = w_t − 0.2 (w_t − c[a]).

    The first is drawn with the logits `first` [3], the second with the row of `second` [3, 3] that
    the first one names; ℓ = (w − 1)².
    """

    def __init__(self, *, dtype: torch.dtype, objective: Objective = "final") -> None:
        self.horizon = HORIZON
        self.objective = objective
        self.goals = torch.tensor([[1.2, -0.5, 2.0], [0.1, 3.0, 0.7], [-1.0, 0.0, 1.5]]).to(dtype)
        self.places = torch.tensor([[a, b] for a in range(3) for b in range(3)])

    def initial_meta(self, seed: int) -> Meta:
        first = torch.tensor([0.3, -0.2, 0.1]).to(self.goals)
        return {"first": first, "second": 0.5 * self.goals.T.contiguous()}

    def log_probability(self, meta: Meta, choices: Tensor) -> Tensor:
        first, second = choices.unbind(-1)
        given = meta["second"].log_softmax(-1)
        return meta["first"].log_softmax(-1)[first] + given[first, second]

    def sample(self, meta: Meta, count: int, source: torch.Generator) -> Tensor:
        uniform = torch.rand(count, generator=source, dtype=torch.float64)
        upto = self.log_probability(meta, self.places).exp().cumsum(0).double()
        return self.places[torch.searchsorted(upto, uniform).clamp(max=8)]

    def initial_state(self, meta: Meta, seed: int) -> State:
        return self.initial_state_of(self.places[0], meta, seed)

    def initial_state_of(self, choice: Tensor, meta: Meta, seed: int) -> State:
        return {"params": {"w": torch.zeros_like(self.goals[0, 0])}, "choice": choice}

    def step(self, state: State, meta: Meta, t: int) -> State:
        first, second = state["choice"].unbind()
        goal = self.goals.index_select(0, first[None])[0].index_select(0, second[None])[0]
        w = state["params"]["w"]
        return {"params": {"w": w - 0.2 * (w - goal)}, "choice": state["choice"]}

    def meta_loss(self, state: State, meta: Meta, t: int) -> Tensor:
        return (state["params"]["w"] - 1.0) ** 2

    def exact(self, meta: Meta, seed: int) -> tuple[float, Meta]:
        """Σ_a F(a) ∇π_θ(a), with w_t = (1 − 0.8^t) c[a]."""
        theta = {name: leaf.detach().requires_grad_() for name, leaf in meta.items()}
        way = 1.0 - 0.8 ** torch.arange(1, self.horizon + 1).to(self.goals)
        losses = (way[:, None] * self.goals.flatten() - 1.0) ** 2
        of_each = losses[-1] if self.objective == "final" else losses.mean(0)
        with torch.enable_grad():
            loss = (self.log_probability(theta, self.places).exp() * of_each).sum()
        gradient = torch.autograd.grad(loss, list(theta.values()))
        return loss.item(), dict(zip(theta, gradient, strict=True))


@cache
def learner(*, dtype: torch.dtype, objective: Objective = "final") -> Problem:
    """A registered inner task, whose initial parameters are learned; built once, as it costs."""
    document = {
        "inner_task": {"kind": "quadratic", "dimension": 3, "noise": 0.1},
        "inner": {"steps": HORIZON},
        "meta_parameters": [{"kind": "initialisation"}],
        "objective": objective,
        "precision": "float64" if dtype == torch.float64 else "float32",
        "device": "cpu",
    }
    return build_problem(validate(document))
