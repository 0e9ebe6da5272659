"""Forward mode: carry the tangents Z_t = ds_t/dθ along the inner loop (Franceschi et al., 2017).

    Z_{t+1} = ∂Φ_t/∂s · Z_t + ∂Φ_t/∂θ,      ĝ = Σ_t c_t (∂ℓ_t/∂s · Z_t + ∂ℓ_t/∂θ)

Exact. Memory O(tangents · |s|), constant in T; the cost grows with dim θ. The tangents of a chunk
are carried together by vmap.
"""

import torch
from torch import Tensor

from engine import trees
from engine.estimators.estimate import Cost, Estimate
from engine.estimators.estimator import Carry, Estimator
from engine.problem import Meta, Problem
from engine.rolling import loss_weight
from engine.spec import estimators as options

Leaves = list[Tensor]


class ForwardMode(Estimator):
    """ĝ = g*, to rounding; one tangent for every entry of θ, `chunk` of them at a time."""

    options_type = options.ForwardMode

    @torch.no_grad()
    def meta_gradient(self, problem: Problem, meta: Meta, carry: Carry) -> Estimate:
        sizes = [leaf.numel() for leaf in meta.values()]
        total, chunk = sum(sizes), self.options.chunk
        directional = []
        for first in range(0, total, chunk):
            count = min(chunk, total - first)
            meta_loss, slopes = self._push_forward(problem, meta, carry["seed"], first, count)
            directional.append(slopes)
        parts = torch.cat(directional).split(sizes)
        chunks = -(-total // chunk)
        return Estimate(
            gradient={
                name: part.reshape(leaf.shape)
                for (name, leaf), part in zip(meta.items(), parts, strict=True)
            },
            meta_loss=float(meta_loss),
            cost=Cost(
                inner_steps=problem.horizon * chunks,
                gradient_evaluations=problem.horizon * chunks,
                hessian_vector_products=problem.horizon * total,
            ),
        )

    def _push_forward(
        self, problem: Problem, meta: Meta, seed: int, first: int, count: int
    ) -> tuple[Tensor, Tensor]:
        """F(θ) and its derivatives by `count` entries of θ from entry `first` on; shape [count]."""
        names, theta = list(meta), list(meta.values())
        directions = _unit_vectors(theta, first, count)

        def named(leaves: Leaves) -> Meta:
            return dict(zip(names, leaves, strict=True))

        split = trees.Split(problem.initial_state(meta, seed))
        leaves, tangents = _push(
            lambda *theta: trees.Split(problem.initial_state(named(theta), seed)).leaves,
            theta,
            directions,
        )
        meta_loss = theta[0].new_zeros(())
        slopes = theta[0].new_zeros(count)
        for t in range(problem.horizon):
            state_count = len(leaves)

            def step(*inputs: Tensor, t: int = t, state_count: int = state_count) -> Leaves:
                state = split.joined(inputs[:state_count])
                return trees.Split(problem.step(state, named(inputs[state_count:]), t)).leaves

            leaves, tangents = _push(step, [*leaves, *theta], [*tangents, *directions])
            weight = loss_weight(problem, t + 1)
            if weight:

                def loss(*inputs: Tensor, t: int = t, state_count: int = state_count) -> Leaves:
                    state = split.joined(inputs[:state_count])
                    return [problem.meta_loss(state, named(inputs[state_count:]), t + 1)]

                [value], [slope] = _push(loss, [*leaves, *theta], [*tangents, *directions])
                meta_loss = meta_loss + weight * value
                slopes = slopes + weight * slope
        return meta_loss, slopes


def _push(function, inputs: Leaves, tangents: Leaves) -> tuple[Leaves, Leaves]:
    """Values of `function` at `inputs`, and its derivatives along a leading axis of `tangents`."""

    def along(*direction: Tensor) -> tuple[Leaves, Leaves]:
        return torch.func.jvp(function, tuple(inputs), direction)

    return torch.func.vmap(along, out_dims=(None, 0), randomness="same")(*tangents)


def _unit_vectors(theta: Leaves, first: int, count: int) -> Leaves:
    """Rows first … first + count − 1 of the identity on all entries of θ, cut into θ's shapes."""
    total = sum(leaf.numel() for leaf in theta)
    rows = theta[0].new_zeros(count, total)
    rows[torch.arange(count), torch.arange(first, first + count)] = 1.0
    parts = rows.split([leaf.numel() for leaf in theta], dim=1)
    return [part.reshape(count, *leaf.shape) for part, leaf in zip(parts, theta, strict=True)]
