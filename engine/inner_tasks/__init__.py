"""Inner tasks by the kind that a spec names."""

from engine.inner_tasks.images import ImageCNN, ImageMLP
from engine.inner_tasks.inner_task import InnerTask, Params
from engine.inner_tasks.quadratic import Quadratic

INNER_TASKS = {"quadratic": Quadratic, "image_mlp": ImageMLP, "image_cnn": ImageCNN}

__all__ = ["INNER_TASKS", "InnerTask", "Params"]
