"""Solvers of A v = b, for a symmetric A that is known by its products alone.

Conjugate gradients and the Neumann series need a positive definite A. At an indefinite one, a
saddle of the inner loss, their answer can be wrong altogether: a direction p with pᵀAp < 0 met on
the way proves it, and is said. `normal_cg` and `exact` solve the indefinite system too.

A solver is called as `solve(product, right, options, start)`. `start` is the vector v_0 that the
iterations go on from, such as the solution of a system close by; nothing means 0, which saves the
product of b − A v_0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine import trees
from engine.spec import estimators as options
from engine.trees import Leaves

Product = Callable[[Leaves], Leaves]

UNRELIABLE = (
    "the inner loss is not convex at w_T, so the implicit gradient is unreliable; "
    "use the solver normal_cg, add damping or train longer"
)
NO_MINIMUM = (
    "negative curvature: w_T is not a minimum of the inner loss; "
    "the linear solve holds all the same"
)


@dataclass(kw_only=True)
class Solution:
    """v with A v ≈ b, and what was seen of A on the way."""

    vector: Leaves
    negative_curvature: bool | None = None
    """Whether a direction p with pᵀAp < 0 was met; nothing where none was looked at."""
    notes: list[str] = field(default_factory=list)


def conjugate_gradients(
    product: Product, right: Leaves, options: options.Implicit, start: Leaves | None = None
) -> Solution:
    """Hestenes and Stiefel (1952); exact after dim(b) iterations for a positive definite A.

    Stops early at a direction of negative curvature, where the method loses its meaning, and
    says so; the iterate before it is returned.
    """
    vector, residual, negative = _begun(product, right, start)
    notes = [f"negative curvature at the warm start: {UNRELIABLE}"] if negative else []
    direction = residual
    square = trees.dot(residual, residual)
    smallest = torch.finfo(square.dtype).eps ** 2 * trees.dot(right, right)
    for iteration in range(options.iterations):
        if square <= smallest:
            break
        curved = product(direction)
        curvature = trees.dot(direction, curved)
        if curvature <= 0:
            negative = negative or bool(curvature < 0)
            notes.append(f"negative curvature at iteration {iteration + 1}: {UNRELIABLE}")
            break
        step = square / curvature
        vector = [v + step * p for v, p in zip(vector, direction, strict=True)]
        residual = [r - step * q for r, q in zip(residual, curved, strict=True)]
        next_square = trees.dot(residual, residual)
        ratio = next_square / square
        direction = [r + ratio * p for r, p in zip(residual, direction, strict=True)]
        square = next_square
    return Solution(vector=vector, negative_curvature=negative, notes=notes)


def normal_conjugate_gradients(
    product: Product, right: Leaves, options: options.Implicit, start: Leaves | None = None
) -> Solution:
    """Conjugate gradients on A² v = A b (CGNR; Hestenes and Stiefel, 1952).

    A² is positive definite for every invertible A, so a saddle is no obstacle. The price: two
    products an iteration, and the square of A's condition number.
    """
    vector, residual, negative = _begun(product, right, start)
    slope = product(residual)
    direction = slope
    square = trees.dot(slope, slope)
    smallest = torch.finfo(square.dtype).eps ** 2 * square
    for _ in range(options.iterations):
        if square <= smallest:
            break
        curved = product(direction)
        negative = negative or bool(trees.dot(direction, curved) < 0)
        step = square / trees.dot(curved, curved)
        vector = [v + step * p for v, p in zip(vector, direction, strict=True)]
        residual = [r - step * q for r, q in zip(residual, curved, strict=True)]
        slope = product(residual)
        next_square = trees.dot(slope, slope)
        ratio = next_square / square
        direction = [s + ratio * p for s, p in zip(slope, direction, strict=True)]
        square = next_square
    return Solution(
        vector=vector, negative_curvature=negative, notes=[NO_MINIMUM] if negative else []
    )


def exact(
    product: Product, right: Leaves, options: options.Implicit, start: Leaves | None = None
) -> Solution:
    """A written out, one product a column, and solved in its eigenvectors: for few entries.

    Raises `ValueError` for more entries than `most_entries` of the options.
    """
    sizes = [b.numel() for b in right]
    count = sum(sizes)
    if count > options.most_entries:
        raise ValueError(
            f"solver: 'exact' writes out the Hessian of {count:,} parameters; "
            f"at most {options.most_entries:,} are allowed"
        )

    def cut(vector: Tensor) -> Leaves:
        parts = vector.split(sizes)
        return [part.reshape(b.shape) for part, b in zip(parts, right, strict=True)]

    def joined(leaves: Leaves) -> Tensor:
        return torch.cat([leaf.reshape(-1) for leaf in leaves])

    basis = torch.eye(count, dtype=right[0].dtype, device=right[0].device)
    matrix = torch.stack([joined(product(cut(column))) for column in basis])
    if not matrix.isfinite().all():
        # Eigenvectors of these do not exist; the estimate says where the loop broke.
        return Solution(vector=[b * torch.nan for b in right])
    eigenvalues, vectors = torch.linalg.eigh(0.5 * (matrix + matrix.T))
    solution = vectors @ (vectors.T @ joined(right) / eigenvalues)
    # An eigenvalue of 0 comes out as rounding of either sign.
    rounding = torch.finfo(matrix.dtype).eps ** (1 if options.products == "exact" else 2 / 3)
    negative = bool(eigenvalues[0] < -count * rounding * eigenvalues.abs().max())
    return Solution(
        vector=cut(solution), negative_curvature=negative, notes=[NO_MINIMUM] if negative else []
    )


def neumann(
    product: Product, right: Leaves, options: options.Implicit, start: Leaves | None = None
) -> Solution:
    """v = α Σ_{j<k} (I − αA)^j b (Lorraine et al., 2020); converges for α below 2 / λ_max.

    These are k steps of the fixed-point iteration v ← v + α (b − A v) from 0. From another v_0
    they are v_0 plus the same series of b − A v_0.

    The terms grow along eigenvectors of negative eigenvalues, so that their Rayleigh quotient
    turns negative.
    """
    vector, term, negative = _begun(product, right, start)
    total = [b.clone() for b in term]
    for _ in range(options.iterations - 1):
        curved = product(term)
        negative = negative or bool(trees.dot(term, curved) < 0)
        term = torch._foreach_sub(term, curved, alpha=options.step_size)
        torch._foreach_add_(total, term)
    return Solution(
        vector=torch._foreach_add(vector, total, alpha=options.step_size),
        negative_curvature=negative,
        notes=[f"negative curvature in the Neumann series: {UNRELIABLE}"] if negative else [],
    )


def identity(
    product: Product, right: Leaves, options: options.Implicit, start: Leaves | None = None
) -> Solution:
    """v = b: the Hessian taken as the identity (T1–T2; Luketina et al., 2016)."""
    return Solution(vector=right)


def _begun(product: Product, right: Leaves, start: Leaves | None) -> tuple[Leaves, Leaves, bool]:
    """v_0, b − A v_0, and whether v_0ᵀA v_0 < 0."""
    if start is None:
        return [torch.zeros_like(b) for b in right], right, False
    curved = product(start)
    return start, torch._foreach_sub(right, curved), bool(trees.dot(start, curved) < 0)


SOLVERS: dict[str, Callable[[Product, Leaves, options.Implicit, Leaves | None], Solution]] = {
    "cg": conjugate_gradients,
    "neumann": neumann,
    "identity": identity,
    "normal_cg": normal_conjugate_gradients,
    "exact": exact,
}
