"""Solvers of A v = b, for a symmetric A that is known by its products alone.

Conjugate gradients and the Neumann series need a positive definite A. At an indefinite one, a
saddle of the inner loss, their answer can be wrong altogether: a direction p with pᵀAp < 0 met on
the way proves it, and is said. `normal_cg` and `exact` solve the indefinite system too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine import trees
from engine.spec import estimators as options

Leaves = list[Tensor]
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
    """v with A v ≈ b, and how many products with A it took."""

    vector: Leaves
    products: int
    negative_curvature: bool | None = None
    """Whether a direction p with pᵀAp < 0 was met; nothing where none was looked at."""
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
            return Solution(vector=vector, products=iteration, negative_curvature=False)
        curved = product(direction)
        curvature = trees.dot(direction, curved)
        if curvature <= 0:
            return Solution(
                vector=vector,
                products=iteration + 1,
                negative_curvature=bool(curvature < 0),
                notes=[f"negative curvature at iteration {iteration + 1}: {UNRELIABLE}"],
            )
        step = square / curvature
        vector = [v + step * p for v, p in zip(vector, direction, strict=True)]
        residual = [r - step * q for r, q in zip(residual, curved, strict=True)]
        next_square = trees.dot(residual, residual)
        ratio = next_square / square
        direction = [r + ratio * p for r, p in zip(residual, direction, strict=True)]
        square = next_square
    return Solution(vector=vector, products=options.iterations, negative_curvature=False)


def normal_conjugate_gradients(
    product: Product, right: Leaves, options: options.Implicit
) -> Solution:
    """Conjugate gradients on A² v = A b (CGNR; Hestenes and Stiefel, 1952).

    A² is positive definite for every invertible A, so a saddle is no obstacle. The price: two
    products an iteration, and the square of A's condition number.
    """
    vector = [torch.zeros_like(b) for b in right]
    residual = right
    slope = product(residual)
    direction = slope
    square = trees.dot(slope, slope)
    smallest = torch.finfo(square.dtype).eps ** 2 * square
    products, negative = 1, False
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
        products += 2
    return Solution(
        vector=vector,
        products=products,
        negative_curvature=negative,
        notes=[NO_MINIMUM] if negative else [],
    )


def exact(product: Product, right: Leaves, options: options.Implicit) -> Solution:
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
        return Solution(vector=[b * torch.nan for b in right], products=count)
    eigenvalues, vectors = torch.linalg.eigh(0.5 * (matrix + matrix.T))
    solution = vectors @ (vectors.T @ joined(right) / eigenvalues)
    # An eigenvalue of 0 comes out as rounding of either sign.
    rounding = count * torch.finfo(matrix.dtype).eps * eigenvalues.abs().max()
    negative = bool(eigenvalues[0] < -rounding)
    return Solution(
        vector=cut(solution),
        products=count,
        negative_curvature=negative,
        notes=[NO_MINIMUM] if negative else [],
    )


def neumann(product: Product, right: Leaves, options: options.Implicit) -> Solution:
    """v = α Σ_{j<k} (I − αA)^j b (Lorraine et al., 2020); converges for α below 2 / λ_max.

    The terms grow along eigenvectors of negative eigenvalues, so that their Rayleigh quotient
    turns negative.
    """
    negative = False
    term = [b.clone() for b in right]
    total = [b.clone() for b in right]
    for _ in range(options.iterations - 1):
        curved = product(term)
        negative = negative or bool(trees.dot(term, curved) < 0)
        term = torch._foreach_sub(term, curved, alpha=options.step_size)
        torch._foreach_add_(total, term)
    return Solution(
        vector=torch._foreach_mul(total, options.step_size),
        products=options.iterations - 1,
        negative_curvature=negative,
        notes=[f"negative curvature in the Neumann series: {UNRELIABLE}"] if negative else [],
    )


def identity(product: Product, right: Leaves, options: options.Implicit) -> Solution:
    """v = b: the Hessian taken as the identity (T1–T2; Luketina et al., 2016)."""
    return Solution(vector=right, products=0)


SOLVERS: dict[str, Callable[[Product, Leaves, options.Implicit], Solution]] = {
    "cg": conjugate_gradients,
    "neumann": neumann,
    "identity": identity,
    "normal_cg": normal_conjugate_gradients,
    "exact": exact,
}
