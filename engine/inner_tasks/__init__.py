"""Inner tasks: what the learner learns, each built from its options.

The options, in `engine.spec.inner_tasks`, name the class that implements them, so that a spec can
be read without torch. A package of your own adds a task in the same way: see `docs/extending.md`.
"""

from engine.inner_tasks.inner_task import DynamicalTask, InnerTask, Params

__all__ = ["DynamicalTask", "InnerTask", "Params"]
