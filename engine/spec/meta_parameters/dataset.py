"""What the learner trains on, where the outer loop learns it."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from engine.spec.errors import FieldError
from engine.spec.meta_parameters.meta_parameter import MetaParameter, Slot
from engine.spec.options import option

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment


class DistilledImages(MetaParameter):
    """A few learned images in place of the training set (Wang et al., 2018, dataset distillation).

    Where they start as real images, the figures of outer step 0 are those of as many random ones.
    """

    title: ClassVar[str] = "Distilled images"
    implementation: ClassVar[str] = "engine.meta_parameters.dataset:DistilledImages"
    slot: ClassVar[Slot] = "dataset"
    replaces: ClassVar[bool] = True
    of_the_task: ClassVar[bool] = True
    in_inner_loss: ClassVar[bool] = True
    only_in_inner_loss: ClassVar[bool] = True
    small: ClassVar[dict[str, Any]] = {"labels": "learned"}

    kind: Literal["distilled_images"] = "distilled_images"
    images_per_class: int = option(1, ge=1, le=100, unit="images")
    """How many are learned of each class."""
    start: Literal["noise", "real"] = "noise"
    """Every pixel standard normal, or training images of the class, drawn by the run's seed."""
    labels: Literal["fixed", "learned"] = "fixed"
    """Each image's label is its class; or shares of all classes, learned through logits and
    beginning with 90 % for its class."""
    each_step: Literal["all", "one_per_class"] = "all"
    """What an inner step trains on: all of them, or one image of each class in turn."""

    def entries(self, experiment: Experiment) -> int:
        task = experiment.inner_task
        if self.kind not in task.reads:
            return 0
        labels = task.classes if self.labels == "learned" else 0
        return task.classes * self.images_per_class * (prod(task.example_shape) + labels)

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        yield from super().refusals(experiment, path)
        if self.each_step == "all":
            return
        for estimator in experiment.estimators:
            if estimator.needs_stationary_point:
                yield FieldError(
                    f"{path}.each_step",
                    self.each_step,
                    f"{estimator.kind!r} asks for the one loss that every inner step minimises; "
                    "allowed: 'all'",
                )
                return
