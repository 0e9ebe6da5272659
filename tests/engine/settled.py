"""Inner loops that have ended exactly where the inner loss has zero gradient."""

from collections.abc import Callable
from typing import Any

import torch

from engine import trees
from engine.problem import Meta, Problem, State

NEWTON_STEPS = 4
"""From where L-BFGS stops; each doubles the number of digits that are right."""


class Settled:
    """`problem`, with the stationary point of its inner loss as state: F(θ) = ℓ(w*(θ), θ).

    Implicit differentiation is exact here, and finite differences of F tell whether it is.
    """

    horizon = 1
    objective = "final"

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.start = problem.initial_state(problem.initial_meta(0), 0)["params"]
        self.start = self._minimum(problem.initial_meta(0))

    def initial_meta(self, seed: int) -> Meta:
        return self.problem.initial_meta(seed)

    def initial_state(self, meta: Meta, seed: int) -> State:
        return {"params": self._minimum(meta), "seed": torch.tensor(seed)}

    def step(self, state: State, meta: Meta, t: int) -> State:
        return state

    def meta_loss(self, state: State, meta: Meta, t: int) -> torch.Tensor:
        return self.problem.meta_loss(state, meta, t)

    def inner_loss(self, params: Any, meta: Meta, seed: int = 0) -> torch.Tensor:
        return self.problem.inner_loss(params, meta, seed)

    def _minimum(self, meta: Meta) -> Any:
        """From the minimum at the first θ, so that it is the same one at all θ nearby."""
        meta = trees.detached(meta)
        names = list(self.start)
        sizes = [self.start[name].numel() for name in names]

        def loss(flat: torch.Tensor) -> torch.Tensor:
            parts = zip(names, flat.split(sizes), strict=True)
            params = {name: part.reshape(self.start[name].shape) for name, part in parts}
            return self.inner_loss(params, meta)

        flat = torch.cat([self.start[name].reshape(-1) for name in names]).detach()
        flat = _downhill(loss, flat)
        for _ in range(NEWTON_STEPS):
            slope, curvature = torch.func.grad(loss)(flat), torch.func.hessian(loss)(flat)
            flat = flat - torch.linalg.solve(curvature, slope)
        parts = zip(names, flat.split(sizes), strict=True)
        return {name: part.reshape(self.start[name].shape) for name, part in parts}


def _downhill(loss: Callable[[torch.Tensor], torch.Tensor], start: torch.Tensor) -> torch.Tensor:
    flat = start.clone().requires_grad_()
    search = torch.optim.LBFGS([flat], max_iter=200, tolerance_grad=1e-6)

    def closure() -> torch.Tensor:
        search.zero_grad()
        found = loss(flat)
        found.backward()
        return found

    with torch.enable_grad():
        search.step(closure)
    return flat.detach()
