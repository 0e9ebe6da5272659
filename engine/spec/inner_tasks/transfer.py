"""Inner tasks on which a learned optimizer is tested, and never trained."""

from engine.spec.inner_tasks.images import ImageMLP
from engine.spec.inner_tasks.inner_task import InnerTask
from engine.spec.inner_tasks.task_family import TaskFamily

TRANSFER_TASKS: dict[str, InnerTask] = {
    "least_squares": TaskFamily(family="least_squares"),
    "softmax_regression": TaskFamily(family="softmax_regression"),
    "mlp": TaskFamily(family="mlp"),
    "digits": ImageMLP(dataset="digits", hidden=[16]),
    "mnist1d": ImageMLP(dataset="mnist1d", hidden=[16]),
}
