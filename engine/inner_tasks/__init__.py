"""Inner tasks: what the learner learns, each built from its options.

The options, in `engine.spec.inner_tasks`, name the class that implements them, so that a spec can
be read without torch. A package of your own adds a task in the same way. Its options are in a
module without torch,

    from typing import ClassVar, Literal
    from engine.spec.inner_tasks import InnerTask, Shapes
    from engine.spec.options import option

    class Spiral(InnerTask):
        \"\"\"One sentence for the form.\"\"\"

        title: ClassVar[str] = "Two spirals"
        implementation: ClassVar[str] = "spirals.task:SpiralTask"

        kind: Literal["spiral"] = "spiral"
        turns: float = option(2.0, gt=0.0, le=20.0)
        \"\"\"What the form says beside the field.\"\"\"

        def parameter_shapes(self) -> Shapes:
            return {"weight": (2, 2), "bias": (2,)}

the class that they name has the methods of `InnerTask` (or of `DynamicalTask`, where the options
say `has_inner_loss = False` and what the transition `reads`), and the package's pyproject.toml
has the entry point:

    [project.entry-points."metaopt_lab.inner_tasks"]
    spiral = "spirals.options:Spiral"
"""

from engine.inner_tasks.inner_task import DynamicalTask, InnerTask, Params

__all__ = ["DynamicalTask", "InnerTask", "Params"]
