"""The two-dimensional problem on which learning-rate schedules were compared."""

from typing import ClassVar, Literal

from engine.spec.inner_tasks.inner_task import InnerTask, Shapes


class ToyRegression(InnerTask):
    """Two parameters in a long valley with waves across it, from the same start for every seed.

    Meta-loss and inner loss are √(x² + 5) − √5 + sin²(y) exp(−5x²) + ¼ |y − 100|.
    """

    title: ClassVar[str] = "Two-dimensional toy for schedules (Vicol et al., 2021)"
    implementation: ClassVar[str] = "engine.inner_tasks.toy_regression:ToyRegression"

    kind: Literal["toy_regression"] = "toy_regression"

    def parameter_shapes(self) -> Shapes:
        return {"x": (), "y": ()}
