"""The multi-class support vector machine, as a function that can be differentiated.

Crammer and Singer (2001), in the dual form of MetaOptNet (Lee et al., 2019, equation 6), for
features x_n (rows of X), labels y_n and a matrix α of the same shape as the one-hot labels Y:

    minimise ½ Σ_k ‖Xᵀ α_k‖² + ½ ‖α‖² − Σ_n α_{n, y_n}
    such that α ≤ C Y and Σ_k α_{n, k} = 0 for every n;                 w_k = Xᵀ α_k.

(½ ‖α‖², which the authors' code has too, makes the solution the only one.) An interior-point method
finds which bounds hold with equality, and a primal-dual active-set method (Hintermüller, Ito and
Kunisch, 2002) makes sure of it. With these known, the conditions of Karush, Kuhn and Tucker
are a linear system, and α is taken from that: by the implicit function theorem its derivatives, in
any mode and of any order, are those of the solution, and no derivative of an iteration is needed.
"""

from __future__ import annotations

import torch
from torch import Tensor

ITERATIONS = 12
"""Of the interior-point method, whose gap is then a millionth of a millionth of what it was."""
CORRECTIONS = 4
"""Of the active set, for bounds that hold or do not hold by a hair (of 400 random problems, three
made every one right)."""
CENTRING = 0.1
"""The gap that an iteration aims at, over the one that it starts from."""
STAYING_INSIDE = 0.99
"""Of the longest step that keeps slacks and multipliers positive."""


def support_vector_weights(features: Tensor, labels: Tensor, *, slack: float) -> Tensor:
    """w [ways, F] for features [N, F] and one-hot labels [N, ways]; `slack` is C."""
    alpha = solution(features @ features.mT, labels, slack=slack)
    return alpha.mT @ features


def solution(kernel: Tensor, labels: Tensor, *, slack: float) -> Tensor:
    """α [N, ways] for the kernel X Xᵀ [N, N]."""
    count, ways = labels.shape
    ones = torch.eye(ways, device=kernel.device, dtype=kernel.dtype)
    every = torch.eye(count * ways, device=kernel.device, dtype=kernel.dtype)
    hessian = torch.kron(kernel, ones) + every
    sums = torch.eye(count, device=kernel.device, dtype=kernel.dtype).repeat_interleave(ways, 1)
    gain, bound = labels.flatten(), slack * labels.flatten()
    active = _active(*(part.detach().double() for part in (hessian, sums, gain, bound)))
    return _with(active, hessian, sums, gain, bound)[0].reshape(count, ways)


def _with(
    active: Tensor, hessian: Tensor, sums: Tensor, gain: Tensor, bound: Tensor
) -> tuple[Tensor, Tensor]:
    """α and the prices of its sums where the `active` bounds, and no others, hold with equality."""
    every = torch.eye(len(gain), device=gain.device, dtype=gain.dtype)
    # A row of an active bound says α = C Y; the others, that the gradient of the Lagrangian is 0.
    rows = torch.where(active.unsqueeze(-1), every, hessian)
    prices = torch.where(active.unsqueeze(-1), torch.zeros_like(sums.mT), sums.mT)
    right = torch.where(active, bound, gain)
    return _solved(rows, prices, sums, right, torch.zeros_like(sums[:, 0]))


def _active(hessian: Tensor, sums: Tensor, gain: Tensor, bound: Tensor) -> Tensor:
    """Which of α ≤ C Y hold with equality: bool [N · ways]. In double precision, whatever that of
    the run is: the gaps of these go to 0."""
    alpha, price = torch.zeros_like(gain), torch.zeros_like(sums[:, 0])
    gap, multiplier = torch.ones_like(gain), torch.ones_like(gain)
    for _ in range(ITERATIONS):
        target = CENTRING * (gap * multiplier).mean()
        steep = gain - hessian @ alpha - multiplier - sums.mT @ price
        outside = bound - alpha - gap
        # gap + Δgap = bound − alpha − Δalpha, and the product of gap and multiplier is the target.
        ratio = multiplier / gap
        pushed = steep - (target - multiplier * gap) / gap + ratio * outside
        change, price_change = _solved(
            hessian + torch.diag(ratio), sums.mT, sums, pushed, -(sums @ alpha)
        )
        gap_change = outside - change
        multiplier_change = (target - multiplier * gap - multiplier * gap_change) / gap
        size = torch.minimum(_longest(gap, gap_change), _longest(multiplier, multiplier_change))
        alpha, price = alpha + size * change, price + size * price_change
        gap, multiplier = gap + size * gap_change, multiplier + size * multiplier_change
    active = gap < multiplier
    for _ in range(CORRECTIONS):
        alpha, price = _with(active, hessian, sums, gain, bound)
        multiplier = gain - hessian @ alpha - sums.mT @ price
        active = torch.where(active, multiplier > 0, alpha > bound)
    return active


def _longest(value: Tensor, change: Tensor) -> Tensor:
    """The step, at most 1, along `change` that keeps `value` positive."""
    shrinking = change < 0
    limit = torch.where(shrinking, -value / torch.where(shrinking, change, -1.0), torch.inf)
    return (STAYING_INSIDE * limit.min()).clamp(max=1.0)


def _solved(
    rows: Tensor, prices: Tensor, sums: Tensor, right: Tensor, total: Tensor
) -> tuple[Tensor, Tensor]:
    """x and p with rows · x + prices · p = right and sums · x = total."""
    count = len(sums)
    corner = sums.new_zeros(count, count)
    system = torch.cat([torch.cat([rows, prices], 1), torch.cat([sums, corner], 1)])
    both = torch.linalg.solve(system, torch.cat([right, total]))
    return both[: len(right)], both[len(right) :]
