"""The inner loop: its horizon and the update rule that turns gradients into steps."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from engine.spec.options import Options, option

Rate = Annotated[float, Field(gt=0.0, le=1e3)]
Decay = Annotated[float, Field(ge=0.0, le=1e3)]
Fraction = Annotated[float, Field(ge=0.0, lt=1.0)]


class InnerOptimizer(Options):
    """Options that every update rule has; a meta-parameter of the same name replaces its value."""

    title: ClassVar[str]

    learning_rate: Rate = 0.1
    """Step size α, unless the learning rate is meta-learned."""
    weight_decay: Decay = 0.0
    """Coefficient λ of the penalty (λ/2)‖w‖² in the inner loss, unless it is meta-learned."""


class SGD(InnerOptimizer):
    """w ← w − α ∇L(w)."""

    title: ClassVar[str] = "Gradient descent"
    kind: Literal["sgd"] = "sgd"


class Momentum(InnerOptimizer):
    """v ← μ v + ∇L(w), w ← w − α v (Polyak's heavy ball)."""

    title: ClassVar[str] = "Gradient descent with momentum"
    kind: Literal["momentum"] = "momentum"
    momentum: Fraction = 0.9
    """Momentum μ, unless it is meta-learned."""


class Adam(InnerOptimizer):
    """Adam (Kingma and Ba, 2015), with ε inside the square root: differentiable at 0."""

    title: ClassVar[str] = "Adam"
    kind: Literal["adam"] = "adam"
    beta1: Fraction = 0.9
    """Decay of the mean of the gradients."""
    beta2: Fraction = 0.999
    """Decay of the mean of the squared gradients."""
    epsilon: float = option(1e-8, gt=0.0, le=1.0)
    """Added to the second moment under the square root, as ε²."""


AnyInnerOptimizer = Annotated[SGD | Momentum | Adam, Field(discriminator="kind")]


class InnerLoop(Options):
    """How long the learner learns, and by which rule."""

    steps: int = option(50, ge=1, le=100_000, unit="inner steps")
    """Horizon T: inner steps from the initial state to the state that the meta-loss judges."""
    optimizer: AnyInnerOptimizer = Field(default_factory=SGD)
    """Update rule of an inner step."""
    proximal: float = option(0.0, ge=0.0, le=1e3)
    """Weight λ of (λ/2)‖w − w_0‖² in the inner loss, which ties the learner to its learned initial
    parameters w_0 (iMAML); 0 means not at all."""
    program: Literal["auto", "eager", "traced", "compiled"] = "auto"
    """How inner steps run, with the same figures to rounding: as they are written; recorded once
    and replayed, several times faster for small learners; or compiled in chunks of steps, faster
    still after seconds of compiling, where a C++ compiler is installed. Auto replays, and
    compiles for a small learner on the CPU in runs of a million inner steps or more."""
