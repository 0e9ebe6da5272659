"""Forward mode: carry the tangents Z_t = ds_t/dθ along the inner loop (Franceschi et al., 2017).

    Z_{t+1} = ∂Φ_t/∂s · Z_t + ∂Φ_t/∂θ,      ĝ = Σ_t c_t (∂ℓ_t/∂s · Z_t + ∂ℓ_t/∂θ)

Exact. Memory O(tangents · |s|), constant in T; the cost grows with dim θ. The tangents of a chunk
are carried together by vmap.
"""

from typing import Any

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
    derivative = "the tangents"

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

        def push(function, state: trees.Tree, tangents: Leaves) -> tuple[Any, Leaves]:
            return push_along(
                lambda state, *theta: function(state, named(theta)),
                state, theta, tangents, directions,
            )  # fmt: skip

        state, tangents = push(lambda _, meta: problem.initial_state(meta, seed), {}, [])
        meta_loss = theta[0].new_zeros(())
        slopes = theta[0].new_zeros(count)
        for t in range(problem.horizon):
            state, tangents = push(lambda s, meta, t=t: problem.step(s, meta, t), state, tangents)
            weight = loss_weight(problem, t + 1)
            if weight:
                value, [slope] = push(
                    lambda s, meta, t=t: problem.meta_loss(s, meta, t + 1), state, tangents
                )
                meta_loss = meta_loss + weight * value
                slopes = slopes + weight * slope
        return meta_loss, slopes


def push_along(
    function, state: trees.Tree, theta: Leaves, tangents: Leaves, directions: Leaves
) -> tuple[Any, Leaves]:
    """The value of `function(state, *theta)`, a tree, and the derivatives of its floating-point
    leaves along `tangents` (of the state) and `directions` (of θ), which have a leading axis."""
    split = trees.Split(state)
    count = len(tangents)

    def leaves_and_value(*inputs: Tensor) -> tuple[Leaves, Any]:
        value = function(split.joined(inputs[:count]), *inputs[count:])
        return trees.Split(value).leaves, value

    def along(*direction: Tensor) -> tuple[Any, Leaves]:
        primals = (*split.leaves, *theta)
        leaves, slopes, value = torch.func.jvp(leaves_and_value, primals, direction, has_aux=True)
        # Under vmap torch may give what comes from a 0-dimensional leaf in a wider format.
        return value, [slope.to(leaf.dtype) for slope, leaf in zip(slopes, leaves, strict=True)]

    vectorised = torch.func.vmap(along, out_dims=(None, 0), randomness="same")
    return vectorised(*tangents, *directions)


def _unit_vectors(theta: Leaves, first: int, count: int) -> Leaves:
    """Rows first … first + count − 1 of the identity on all entries of θ, cut into θ's shapes."""
    total = sum(leaf.numel() for leaf in theta)
    rows = theta[0].new_zeros(count, total)
    rows[torch.arange(count), torch.arange(first, first + count)] = 1.0
    parts = rows.split([leaf.numel() for leaf in theta], dim=1)
    return [part.reshape(count, *leaf.shape) for part, leaf in zip(parts, theta, strict=True)]
