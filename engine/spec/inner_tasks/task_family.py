"""Families of small tasks, one for every seed, for learned optimizers to train and be tested on."""

from itertools import pairwise
from typing import Any, ClassVar, Literal

from engine.spec.inner_tasks.inner_task import InnerTask, Shapes
from engine.spec.options import option

CLASSES = 10


class TaskFamily(InnerTask):
    """A family of small tasks: every seed draws one, on real data in random coordinates.

    Outer steps with fresh inner seeds see new tasks, and tests take tasks that none has seen.
    """

    title: ClassVar[str] = "Task family for learned optimizers"
    implementation: ClassVar[str] = "engine.inner_tasks.task_family:TaskFamily"
    small: ClassVar[dict[str, Any]] = {
        "features": 3, "hidden": 3, "examples": 10, "batch_size": 5, "condition_number": 10.0,
        "augmentation": 3.0,
    }  # fmt: skip

    kind: Literal["task_family"] = "task_family"
    family: Literal["least_squares", "softmax_regression", "mlp"] = "mlp"
    """A random linear target with squared loss; or classification, by one layer or by two."""
    dataset: Literal["digits", "mnist1d"] = "digits"
    """Where the inputs come from."""
    features: int = option(16, ge=1, le=256, unit="features")
    """Features that a task's random projection makes of an input."""
    hidden: int = option(16, ge=1, le=512, unit="units")
    """Width of the hidden layer of the family mlp."""
    examples: int = option(128, ge=2, le=4000, unit="examples")
    """Training examples of one task, drawn from the data set; and as many that judge."""
    batch_size: int | None = option(32, ge=1, le=4000, unit="examples")
    """Examples in an inner step's minibatch; nothing means all of the task's."""
    condition_number: float = option(100.0, ge=1.0, le=1e6)
    """Largest condition number of a task's features; each task's own is log-uniform from 1."""
    augmentation: float = option(10.0, ge=1.0, le=1e4)
    """The inner loop moves w / c, with c log-uniform for each task from one over this to this: the
    same task with other scales of parameters and gradients. 1 means no such thing."""

    def parameter_shapes(self) -> Shapes:
        if self.family == "least_squares":
            return {"layers.0.weight": (1, self.features)}
        widths = [self.features, *([self.hidden] if self.family == "mlp" else []), CLASSES]
        shapes: Shapes = {}
        for layer, (fan_in, fan_out) in enumerate(pairwise(widths)):
            shapes[f"layers.{layer}.weight"] = (fan_out, fan_in)
            shapes[f"layers.{layer}.bias"] = (fan_out,)
        return shapes
