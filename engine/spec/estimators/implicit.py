"""Options of implicit differentiation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import ValidationInfo, field_validator

from engine.spec.errors import FieldError
from engine.spec.estimator import Estimator, Need
from engine.spec.options import option

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment


class Implicit(Estimator):
    """The implicit function theorem at the end of the inner loop: memory does not grow with T."""

    title: ClassVar[str] = "Implicit"
    implementation: ClassVar[str] = "engine.estimators.implicit:Implicit"
    small: ClassVar[dict[str, Any]] = {"solver": "exact"}
    surroundings: ClassVar[tuple[dict[str, Any], ...]] = (
        {"inner": {"optimizer": {"weight_decay": 0.1}}},
        {"inner": {"optimizer": {"weight_decay": 0.1}, "proximal": 0.5}},
        {},
    )
    needs_stationary_point: ClassVar[bool] = True
    most_entries: ClassVar[int] = 2_000
    """Beyond this many inner parameters the solver 'exact' is refused: its Hessian is too large."""

    kind: Literal["implicit"] = "implicit"
    solver: Literal["cg", "neumann", "identity", "normal_cg", "exact"] = "cg"
    """How H⁻¹ is applied: conjugate gradients, a Neumann series, not at all (H taken as I),
    conjugate gradients on H² v = H b (right at a saddle too), or with H written out (small w)."""
    iterations: int = option(20, ge=1, le=10_000, unit="Hessian-vector products")
    """Iterations of conjugate gradients (two products each for normal_cg), or terms of the
    Neumann series."""
    damping: float = option(0.0, ge=0.0, le=1e6)
    """Added to the diagonal of the Hessian: (H + δI)."""
    step_size: float = option(0.1, gt=0.0, le=1e3)
    """Step α of the Neumann series; it converges for α below 2 / (largest eigenvalue)."""
    warm_start: bool = False
    """Start the linear solve from the solution of the outer step before, not from 0; for cg,
    normal_cg and neumann."""
    products: Literal["exact", "finite_difference"] = "exact"
    """Products with the second derivatives of the inner loss by differentiating twice, or by
    differences of its gradients (two gradients each): where it can be differentiated only once."""

    @field_validator("warm_start")
    @classmethod
    def _has_iterations(cls, warm: bool, known: ValidationInfo) -> bool:
        solver = known.data.get("solver")
        if warm and solver in ("identity", "exact"):
            raise ValueError(
                f"the solver {solver!r} does not iterate, so it starts nowhere; "
                "allowed: false, or solver 'cg', 'normal_cg' or 'neumann'"
            )
        return warm

    @property
    def label(self) -> str:
        iterations = "" if self.solver in ("identity", "exact") else f" {self.iterations}"
        warm = ", warm start" if self.warm_start else ""
        differences = ", finite differences" if self.products == "finite_difference" else ""
        usual = self.solver != "neumann" or self.step_size == 0.1
        step = "" if usual else f", step {self.step_size:g}"
        damped = f", damping {self.damping:g}" if self.damping else ""
        return f"Implicit, {self.solver}{iterations}{step}{damped}{warm}{differences}"

    @property
    def needs(self) -> tuple[Need, ...]:
        return ("loss_gradient", "curvature" if self.products == "exact" else "inner_gradient")

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        yield from super().refusals(experiment, path)
        if experiment.objective != "final":
            yield FieldError(
                f"{path}.kind",
                self.kind,
                "implicit differentiation sees only the final state; allowed: objective 'final'",
            )
        shapes = experiment.inner_parameter_shapes()
        entries = sum(math.prod(shape) for shape in shapes.values())
        if self.solver == "exact" and entries > self.most_entries:
            yield FieldError(
                f"{path}.solver",
                "exact",
                f"the Hessian of {entries:,} inner parameters is too large to write out; at most "
                f"{self.most_entries:,} are allowed; use normal_cg",
            )
        for item in experiment.meta_parameters:
            tied = item.kind == "initialisation" and experiment.inner.proximal > 0.0
            if not (item.in_inner_loss or tied):
                yield FieldError(
                    f"{path}.kind",
                    self.kind,
                    f"cannot learn {item.kind!r}: {item.outside_inner_loss}; allowed "
                    f"meta-parameters: {_in_the_inner_loss()}, and initialisation with "
                    "inner.proximal above 0",
                )


def _in_the_inner_loss() -> str:
    from engine.spec.installed import META_PARAMETERS

    return ", ".join(kind for kind, model in META_PARAMETERS.items() if model.in_inner_loss)
