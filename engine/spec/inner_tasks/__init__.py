"""Inner tasks: what the learner learns, on which data, and the loss that judges it afterwards."""

from engine.spec.inner_tasks.images import ImageCNN, ImageMLP, ImageTask
from engine.spec.inner_tasks.influence_balancing import InfluenceBalancing
from engine.spec.inner_tasks.inner_task import InnerTask, Shapes, last_layer
from engine.spec.inner_tasks.quadratic import NoisyQuadratic, Quadratic

__all__ = [
    "BUILT_IN", "ImageCNN", "ImageMLP", "ImageTask", "InfluenceBalancing", "InnerTask",
    "NoisyQuadratic", "Quadratic", "Shapes", "last_layer",
]  # fmt: skip

BUILT_IN = (Quadratic, NoisyQuadratic, InfluenceBalancing, ImageMLP, ImageCNN)
