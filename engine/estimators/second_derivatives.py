"""Products of the inner loss's second derivatives with a vector v of the shape of w.

    H v = ∂²L/∂w² v,      vᵀ ∂²L/∂w∂θ

Exact, by differentiating the inner gradient once more; or by differences of two gradients, for an
inner loss that can be differentiated only once. Both count what they took.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor
from torch.autograd.graph import Node

from engine import trees
from engine.trees import Leaves

InnerLoss = Callable[[Leaves, Leaves], Tensor]
"""L(w, θ), a scalar, of the leaves of w and θ."""

ONCE_DIFFERENTIABLE = "torch::autograd::Error"
"""The node that torch puts in the place of a second derivative that must not be asked for."""
NO_SECOND_DERIVATIVE = ("is not implemented", "not currently support double backward")
"""What torch says of the others."""
CURE = (
    "implicit differentiation needs second derivatives of the inner loss: set products to "
    "finite_difference, which needs first ones only"
)


class ExactProducts:
    """The gradient of vᵀ∇L, from one graph that is kept (Pearlmutter, 1994)."""

    def __init__(self, inner_loss: InnerLoss, w: Leaves, theta: Leaves) -> None:
        self._w, self._theta = trees.tracked(w), trees.tracked(theta)
        with torch.enable_grad():
            loss = inner_loss(self._w, self._theta)
            self._graph = torch.autograd.grad(
                loss, self._w, create_graph=True, materialize_grads=True
            )
        self.gradient = [leaf.detach() for leaf in self._graph]
        self.gradient_evaluations, self.hessian_vector_products = 1, 0

    def hessian(self, vector: Leaves) -> Leaves:
        """H v."""
        return self._product(vector, self._w)

    def hessian_and_mixed(self, vector: Leaves) -> tuple[Leaves, Leaves]:
        """H v and vᵀ ∂²L/∂w∂θ, from one pass."""
        both = self._product(vector, [*self._w, *self._theta])
        return both[: len(self._w)], both[len(self._w) :]

    def _product(self, vector: Leaves, inputs: Leaves) -> Leaves:
        self.hessian_vector_products += 1
        return trees.gradients(self._graph, inputs, vector, retain_graph=True)


class FiniteDifferenceProducts:
    """(∇L(w + εv) − ∇L(w − εv)) / 2ε, by w and by θ: two gradients a product, and no graph kept
    (DARTS: Liu et al., 2019, eq. 7 and 8; SAMA: Choe et al., 2023).

    The step is ε = r / ‖v‖. With a unit roundoff u, truncation costs O(r²) and rounding O(u / r),
    which balance near r = ∛u in the units of w: r = ∛u · (1 + ‖w‖), where ∛u is 0.005 in float32
    (DARTS takes r = 0.01) and 6e-6 in float64. What is left is a relative error of about u^⅔.
    """

    def __init__(self, inner_loss: InnerLoss, w: Leaves, theta: Leaves) -> None:
        self._inner_loss, self._w, self._theta = inner_loss, w, trees.tracked(theta)
        self._radius = torch.finfo(w[0].dtype).eps ** (1 / 3) * (1.0 + float(trees.norm(w)))
        self.gradient_evaluations, self.hessian_vector_products = 0, 0
        self.gradient, _ = self._gradients(w)

    def hessian(self, vector: Leaves) -> Leaves:
        """H v."""
        return self.hessian_and_mixed(vector)[0]

    def hessian_and_mixed(self, vector: Leaves) -> tuple[Leaves, Leaves]:
        """H v and vᵀ ∂²L/∂w∂θ, from the same two gradients."""
        size = float(trees.norm(vector))
        step = self._radius / size if size else 0.0
        ahead = self._gradients(torch._foreach_add(self._w, vector, alpha=step))
        behind = self._gradients(torch._foreach_add(self._w, vector, alpha=-step))
        by_w, by_theta = (
            torch._foreach_mul(torch._foreach_sub(one, other), 0.5 * size / self._radius)
            for one, other in zip(ahead, behind, strict=True)
        )
        return by_w, by_theta

    def _gradients(self, w: Leaves) -> tuple[Leaves, Leaves]:
        """∂L/∂w and ∂L/∂θ at `w`."""
        self.gradient_evaluations += 1
        w = trees.tracked(w)
        with torch.enable_grad():
            loss = self._inner_loss(w, self._theta)
        both = trees.gradients([loss], [*w, *self._theta], [torch.ones_like(loss)])
        return both[: len(w)], both[len(w) :]


def check_second_derivatives(inner_loss: InnerLoss, w: Leaves, theta: Leaves) -> None:
    """Raise `ValueError` where an operation of L can be differentiated only once.

    torch takes the second derivative of an autograd.Function that is marked once_differentiable
    as zero, without a word. It leaves a mark in the graph, but only where the incoming gradient
    is itself tracked: therefore the factor of 1.
    """
    w, theta = trees.tracked(w), trees.tracked(theta)
    with torch.enable_grad():
        loss = inner_loss(w, theta) * w[0].new_ones(()).requires_grad_()
        graph = torch.autograd.grad(loss, w, create_graph=True, materialize_grads=True)
    if any(node.name() == ONCE_DIFFERENTIABLE for node in _nodes(graph)):
        raise ValueError(f"an operation of the inner loss is marked once_differentiable; {CURE}")
    try:
        trees.gradients(graph, w, graph)
    except RuntimeError as error:
        if not any(words in str(error) for words in NO_SECOND_DERIVATIVE):
            raise
        raise ValueError(f"{str(error).splitlines()[0]}; {CURE}") from error


def _nodes(graph: Sequence[Tensor]) -> Iterator[Node]:
    """Every operation that the tensors of `graph` came from."""
    seen: set[Node] = set()
    waiting = [leaf.grad_fn for leaf in graph]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        yield node
        waiting += [following for following, _ in node.next_functions]


PRODUCTS = {"exact": ExactProducts, "finite_difference": FiniteDifferenceProducts}
