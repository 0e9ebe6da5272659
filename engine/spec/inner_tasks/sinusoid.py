"""Few-shot regression of sinusoids."""

from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from engine.spec.inner_tasks.inner_task import InnerTask, Shapes
from engine.spec.options import option

Width = Annotated[int, Field(ge=1, le=8192)]


class Sinusoid(InnerTask):
    """A few points of a sinusoid that a small network is to continue, as in MAML.

    Every seed has its own sinusoid y = A sin(x − φ), A in [0.1, 5], φ in [0, π], x in [−5, 5], so a
    learned initialisation asks for outer.inner_seed 'fresh'.
    """

    title: ClassVar[str] = "Regression of sinusoids from a few points (Finn et al., 2017)"
    implementation: ClassVar[str] = "engine.inner_tasks.sinusoid:SinusoidTask"
    small: ClassVar[dict[str, Any]] = {
        "hidden": [3], "activation": "tanh", "shots": 4, "queries": 4, "test_tasks": 2,
    }  # fmt: skip

    kind: Literal["sinusoid"] = "sinusoid"
    shots: int = option(10, ge=1, le=10_000, unit="points")
    """Points to learn from."""
    queries: int = option(10, ge=1, le=10_000, unit="points")
    """Other points, on which the learner is judged."""
    hidden: list[Width] = option(default_factory=lambda: [40, 40], max_length=8, unit="units")
    """Width of each hidden layer."""
    activation: Literal["relu", "tanh", "gelu"] = "relu"
    """Nonlinearity between layers; only the smooth ones have an exact second derivative."""
    test_tasks: int = option(100, ge=2, le=10_000, unit="sinusoids")
    """New sinusoids over which the test loss averages."""

    def parameter_shapes(self) -> Shapes:
        shapes: Shapes = {}
        for layer, (fan_in, fan_out) in enumerate(pairwise([1, *self.hidden, 1])):
            shapes[f"layers.{layer}.weight"] = (fan_out, fan_in)
            shapes[f"layers.{layer}.bias"] = (fan_out,)
        return shapes
