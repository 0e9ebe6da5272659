"""Forward mode: carry the tangents Z_t = ds_t/dθ · U along the inner loop.

    Z_{t+1} = ∂Φ_t/∂s · Z_t + ∂Φ_t/∂θ · U,      Uᵀg* = Σ_t c_t (∂ℓ_t/∂s · Z_t + ∂ℓ_t/∂θ · U)

Exact when U runs over the unit vectors, one for every entry of θ (Franceschi et al., 2017). Along
m random directions u

    ĝ = (1/m) Σ u (uᵀ g*),      E u uᵀ = I

is unbiased and costs m tangents however large θ is (Baydin et al., 2022; Silver et al., 2022). The
entries of u are ±1 (Rademacher): tr Cov ĝ = (dim θ − 1) ‖g*‖² / m, where normal ones would give
(dim θ + 1) ‖g*‖² / m.

Memory O(tangents · |s|), constant in T. The tangents of a chunk are carried together.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from engine.chunking import tangents_together
from engine.estimators.estimate import Cost, Estimate
from engine.estimators.estimator import Carry, Estimator
from engine.population import generator
from engine.problem import Meta, Problem, State
from engine.rolling import loss_weight
from engine.spec import estimators as options
from engine.tangents import Push, push, pushing
from engine.trees import Leaves


class ForwardMode(Estimator):
    """ĝ = g*, to rounding; or unbiased, from random directions. The carry has `chunk`, how many
    tangents go together."""

    options_type = options.ForwardMode
    derivative = "the tangents"

    @torch.no_grad()
    def start(self, problem: Problem, meta: Meta, seed: int) -> Carry:
        carry = super().start(problem, meta, seed)
        chunk = tangents_together(
            problem, meta, seed, chunk=self.options.chunk, chunk_bytes=self.options.chunk_bytes
        )
        # Programs are traced before the first estimate, whose time and memory are measured.
        for count in {len(rows) for rows in self._chunks(meta, chunk)}:
            _pushes(
                problem, meta, seed, [leaf.new_zeros(count, *leaf.shape) for leaf in meta.values()]
            )
        return {**carry, "chunk": chunk}

    @torch.no_grad()
    def meta_gradient(self, problem: Problem, meta: Meta, carry: Carry) -> Estimate:
        some = self.options.random_directions
        pieces, tangents, chunks = [], 0, 0
        for directions in self._directions(meta, carry):
            meta_loss, slopes = _push_forward(problem, meta, carry["seed"], directions)
            pieces.append(slopes @ _rows(directions) if some else slopes)
            tangents, chunks = tangents + len(slopes), chunks + 1
        vector = torch.stack(pieces).sum(0) / some if some else torch.cat(pieces)
        parts = vector.split([leaf.numel() for leaf in meta.values()])
        return Estimate(
            gradient={
                name: part.reshape(leaf.shape)
                for (name, leaf), part in zip(meta.items(), parts, strict=True)
            },
            meta_loss=float(meta_loss),
            cost=Cost(
                inner_steps=problem.horizon * chunks,
                gradient_evaluations=problem.horizon * chunks,
                hessian_vector_products=problem.horizon * tangents,
            ),
        )

    def _chunks(self, meta: Meta, chunk: int) -> Iterator[range]:
        """Numbers of the directions that go together."""
        count = self.options.random_directions or sum(leaf.numel() for leaf in meta.values())
        for first in range(0, count, chunk):
            yield range(first, min(first + chunk, count))

    def _directions(self, meta: Meta, carry: Carry) -> Iterator[Leaves]:
        theta = list(meta.values())
        source = generator(carry["seed"], carry["draw"])
        for numbers in self._chunks(meta, carry["chunk"]):
            if self.options.random_directions:
                yield _random_signs(theta, len(numbers), source)
            else:
                yield _unit_vectors(theta, numbers)


def _pushes(
    problem: Problem, meta: Meta, seed: int, directions: Leaves
) -> tuple[State, Leaves, Push, Push]:
    """s_0 and Z_0, and how a step and the meta-loss carry tangents on."""
    state, tangents = push(
        lambda _, meta, t: problem.initial_state(meta, seed), {}, meta, 0, [], directions
    )
    judged = sum(loss_weight(problem, t + 1) != 0.0 for t in range(problem.horizon))
    step = pushing(problem, "step", state, meta, directions, calls=problem.horizon)
    judge = pushing(problem, "meta_loss", state, meta, directions, calls=judged)
    return state, tangents, step, judge


def _push_forward(
    problem: Problem, meta: Meta, seed: int, directions: Leaves
) -> tuple[Tensor, Tensor]:
    """F(θ), and its derivatives along `directions`; shape [directions]."""
    state, tangents, step, judge = _pushes(problem, meta, seed, directions)
    meta_loss = directions[0].new_zeros(())
    slopes = directions[0].new_zeros(len(directions[0]))
    for t in range(problem.horizon):
        state, tangents = step(state, meta, t, tangents, directions)
        weight = loss_weight(problem, t + 1)
        if weight:
            value, [slope] = judge(state, meta, t + 1, tangents, directions)
            meta_loss = meta_loss + weight * value
            slopes = slopes + weight * slope
    return meta_loss, slopes


def _unit_vectors(theta: Leaves, entries: range) -> Leaves:
    """The rows `entries` of the identity on all entries of θ, cut into θ's shapes."""
    sizes = [leaf.numel() for leaf in theta]
    rows = theta[0].new_zeros(len(entries), sum(sizes))
    rows[torch.arange(len(entries)), torch.tensor(entries)] = 1.0
    parts = rows.split(sizes, dim=1)
    return [
        part.reshape(len(entries), *leaf.shape) for part, leaf in zip(parts, theta, strict=True)
    ]


def _random_signs(theta: Leaves, count: int, source: torch.Generator) -> Leaves:
    """`count` directions with entries of ±1; which ones does not depend on the chunks."""
    drawn = [
        [torch.randint(2, leaf.shape, generator=source) for leaf in theta] for _ in range(count)
    ]
    return [
        (2 * torch.stack(signs) - 1).to(leaf)
        for signs, leaf in zip(zip(*drawn, strict=True), theta, strict=True)
    ]


def _rows(directions: Leaves) -> Tensor:
    """All entries of each direction; shape [directions, dim θ]."""
    return torch.cat([leaf.reshape(len(leaf), leaf[0].numel()) for leaf in directions], dim=1)
