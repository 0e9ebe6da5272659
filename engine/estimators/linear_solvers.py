"""Matrix-free solvers of A v = b, for a symmetric A that is known by its products alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine import trees
from engine.spec import estimators as options

Leaves = list[Tensor]
Product = Callable[[Leaves], Leaves]


@dataclass(kw_only=True)
class Solution:
    """v with A v ≈ b, and how many products with A it took."""

    vector: Leaves
    products: int
    notes: list[str] = field(default_factory=list)


def conjugate_gradients(product: Product, right: Leaves, options: options.Implicit) -> Solution:
    """Hestenes and Stiefel (1952); exact after dim(b) iterations for a positive definite A.

    Stops early at a direction of negative curvature, where the method loses its meaning, and
    says so; the iterate before it is returned.
    """
    vector = [torch.zeros_like(b) for b in right]
    residual = [b.clone() for b in right]
    direction = residual
    square = trees.dot(residual, residual)
    smallest = torch.finfo(square.dtype).eps ** 2 * square
    for iteration in range(options.iterations):
        if square <= smallest:
            return Solution(vector=vector, products=iteration)
        curved = product(direction)
        curvature = trees.dot(direction, curved)
        if curvature <= 0:
            note = (
                f"negative curvature at iteration {iteration + 1}: the inner loss is not convex "
                "at w_T, so the implicit gradient is unreliable; add damping or train longer"
            )
            return Solution(vector=vector, products=iteration + 1, notes=[note])
        step = square / curvature
        vector = [v + step * p for v, p in zip(vector, direction, strict=True)]
        residual = [r - step * q for r, q in zip(residual, curved, strict=True)]
        next_square = trees.dot(residual, residual)
        ratio = next_square / square
        direction = [r + ratio * p for r, p in zip(residual, direction, strict=True)]
        square = next_square
    return Solution(vector=vector, products=options.iterations)


def neumann(product: Product, right: Leaves, options: options.Implicit) -> Solution:
    """v = α Σ_{j<k} (I − αA)^j b (Lorraine et al., 2020); converges for α below 2 / λ_max."""
    term = [b.clone() for b in right]
    total = [b.clone() for b in right]
    for _ in range(options.iterations - 1):
        curved = product(term)
        term = torch._foreach_sub(term, curved, alpha=options.step_size)
        torch._foreach_add_(total, term)
    return Solution(
        vector=torch._foreach_mul(total, options.step_size), products=options.iterations - 1
    )


def identity(product: Product, right: Leaves, options: options.Implicit) -> Solution:
    """v = b: the Hessian taken as the identity (T1–T2; Luketina et al., 2016)."""
    return Solution(vector=right, products=0)


SOLVERS: dict[str, Callable[[Product, Leaves, options.Implicit], Solution]] = {
    "cg": conjugate_gradients,
    "neumann": neumann,
    "identity": identity,
}
