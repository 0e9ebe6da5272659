"""What every estimator returns, every time."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.problem import Meta


@dataclass(kw_only=True)
class Cost:
    """What one estimate took."""

    seconds: float = 0.0
    inner_steps: int = 0
    """Inner steps run, replays and every particle's included."""
    gradient_evaluations: int = 0
    """Gradients of the inner loss."""
    hessian_vector_products: int = 0
    """Products of the inner loss's second derivatives with a vector."""
    peak_bytes: int | None = None
    """Bytes of live tensors above what was there before; nothing where it was not measured."""

    @property
    def gradients_worth(self) -> int:
        """The work in gradients of the inner loss: a product with its second derivatives counts as
        two (Pearlmutter, 1994: a forward and a backward pass over those of the gradient)."""
        return self.gradient_evaluations + 2 * self.hessian_vector_products


@dataclass(kw_only=True)
class Health:
    """Whether the estimate can be trusted."""

    finite: bool = True
    """Whether the meta-loss and every entry of the gradient are finite numbers."""
    gradient_norm: float = 0.0
    adjoint_norm: float | None = None
    """Largest ‖λ_t‖ met on the way back, λ_t = ∂F/∂s_t, at the starts of segments; only for
    estimators that backpropagate."""
    residual: float | None = None
    """‖Hv − b‖ / ‖b‖ of the linear solve; only for implicit differentiation."""
    inner_gradient_norm: float | None = None
    """‖∇L(w_T)‖: how far from a stationary point the inner loop ended; only for implicit."""
    negative_curvature: bool | None = None
    """Whether the linear solve met a direction along which the (damped) Hessian is negative: w_T
    is then no minimum. False says that none was met; nothing, that none was looked for."""
    effective_sample_size: float | None = None
    """(Σ|Δ|)² / ΣΔ² over the loss differences Δ of antithetic pairs: near their number where all
    count alike, near 1 where one of them is the estimate; only for evolution."""
    notes: list[str] = field(default_factory=list)
    """Sentences for the person who reads the result."""


@dataclass(kw_only=True)
class Estimate:
    """A meta-gradient ĝ with what it cost and whether it can be trusted."""

    gradient: Meta
    """The tree of θ: the same names and shapes."""
    meta_loss: float
    """F(θ) as this estimator sees it: for `evolution`, the mean over the particles."""
    cost: Cost = field(default_factory=Cost)
    health: Health = field(default_factory=Health)
