"""The loss that the inner loop minimises, where the outer loop learns it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from engine.spec.errors import FieldError
from engine.spec.meta_parameters.meta_parameter import MetaParameter, Slot
from engine.spec.options import option

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment


class LossFunction(MetaParameter):
    """What the three kinds share: each takes the place of the cross-entropy of the inner loop."""

    slot: ClassVar[Slot] = "loss function"
    replaces: ClassVar[bool] = True
    of_the_task: ClassVar[bool] = True
    in_inner_loss: ClassVar[bool] = True
    only_in_inner_loss: ClassVar[bool] = True


class LabelSmoothing(LossFunction):
    """How much of a label goes to the other classes (Szegedy et al., 2016), learned as logits."""

    title: ClassVar[str] = "Label smoothing"
    implementation: ClassVar[str] = "engine.meta_parameters.loss:LabelSmoothing"
    small: ClassVar[dict[str, Any]] = {"granularity": "per_class_pair"}

    kind: Literal["label_smoothing"] = "label_smoothing"
    granularity: Literal["scalar", "per_class_pair"] = "scalar"
    """One share that is spread evenly over all classes, or a share of every class's label for
    every other class."""
    initial: float = option(0.1, gt=0.0, lt=1.0)
    """Share of a label that is spread evenly over all classes at the start of the outer loop."""

    def entries(self, experiment: Experiment) -> int:
        if self.granularity == "scalar":
            return 1
        return getattr(experiment.inner_task, "classes", 0) ** 2


class ExampleWeights(LossFunction):
    """A weight for each training example, every one 1 at the start: learning to reweight (Ren et
    al., 2018), where some labels are wrong."""

    title: ClassVar[str] = "Weights of training examples"
    implementation: ClassVar[str] = "engine.meta_parameters.loss:ExampleWeights"

    kind: Literal["example_weights"] = "example_weights"
    through: Literal["sigmoid", "softplus", "softmax"] = "sigmoid"
    """From what is learned to a weight: between 0 and 2, above 0, or shares of the batch times its
    size."""

    def entries(self, experiment: Experiment) -> int:
        return getattr(experiment.inner_task, "training_examples", 0)

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        yield from super().refusals(experiment, path)
        if any(item.kind == "distilled_images" for item in experiment.meta_parameters):
            yield FieldError(
                f"{path}.kind",
                self.kind,
                "it weighs the training examples, and the learner trains on distilled images; "
                "allowed: one of 'example_weights' and 'distilled_images'",
            )


class LossNetwork(LossFunction):
    """A small network's loss beside the cross-entropy, of an example's probabilities and its label
    (Bechtle et al., 2021); it starts as the cross-entropy alone."""

    title: ClassVar[str] = "Loss network"
    implementation: ClassVar[str] = "engine.meta_parameters.loss:LossNetwork"
    small: ClassVar[dict[str, Any]] = {"hidden": 3}

    kind: Literal["learned_loss"] = "learned_loss"
    form: Literal["added", "factor"] = "added"
    """The cross-entropy plus what the network gives, or times its exponential, so that it keeps its
    sign."""
    hidden: int = option(16, ge=1, le=1024, unit="units")
    """Width of the network's one hidden layer, of tanh."""

    def entries(self, experiment: Experiment) -> int:
        inputs = 2 * getattr(experiment.inner_task, "classes", 0)
        return (inputs + 2) * self.hidden
