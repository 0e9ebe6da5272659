"""The inner tasks, meta-parameters and estimators that a spec can name: the lab's own, and those of
installed packages.

A package adds one by an entry point, in the group named below, that names its options: a subclass
of `InnerTask`, `MetaParameter` or `Estimator` of `engine.spec`. See `docs/extending.md` for how to
write each. What is not as it should be (see `engine.spec.soundness`) is left out with a warning
that says why, so that one broken package does not take the lab down.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated, TypeVar, Union

from pydantic import Field

from engine.spec import estimators, inner_tasks, meta_parameters
from engine.spec.estimator import Estimator
from engine.spec.inner_tasks import InnerTask
from engine.spec.meta_parameters import MetaParameter
from engine.spec.options import Options
from engine.spec.soundness import check_estimator, check_inner_task, check_meta_parameter, kind_of

GROUPS = {
    "meta_parameters": "metaopt_lab.meta_parameters",
    "inner_tasks": "metaopt_lab.inner_tasks",
    "estimators": "metaopt_lab.estimators",
}
"""Entry point groups; searches are estimators that propose."""

Model = TypeVar("Model", bound=Options)


def with_plug_ins(
    known: Iterable[type[Model]],
    found: Iterable[EntryPoint],
    check: Callable[[type], None],
    what: str,
) -> dict[str, type[Model]]:
    """Kind to options model: `known`, and after them each of `found` that passes `check` and is
    new. `what` is the word for one of them in a warning."""
    models = {kind_of(model): model for model in known}
    for point in sorted(found, key=lambda point: (point.name, point.value)):
        try:
            model = _loaded(point)
            check(model)
            kind = kind_of(model)
            if kind in models:
                raise ValueError(f"the kind {kind!r} is taken by {models[kind].__module__}")
        except Exception as error:
            reason = str(error) or type(error).__name__
            warnings.warn(
                f"the {what} {point.name!r} ({point.value}) is left out: {reason}",
                RuntimeWarning,
                stacklevel=2,
            )
        else:
            models[kind] = model
    return models


def _loaded(point: EntryPoint) -> type:
    """What `point` names, without torch: a web process reads it."""
    had_torch = "torch" in sys.modules
    model = point.load()
    if "torch" in sys.modules and not had_torch:
        raise ValueError("its options import torch; only its implementation may")
    return model


META_PARAMETERS: dict[str, type[MetaParameter]] = with_plug_ins(
    meta_parameters.BUILT_IN,
    entry_points(group=GROUPS["meta_parameters"]),
    check_meta_parameter,
    "meta-parameter",
)
"""Options model of every meta-parameter, by its kind."""

INNER_TASKS: dict[str, type[InnerTask]] = with_plug_ins(
    inner_tasks.BUILT_IN,
    entry_points(group=GROUPS["inner_tasks"]),
    lambda model: check_inner_task(model, list(META_PARAMETERS)),
    "inner task",
)
"""Options model of every inner task, by its kind."""

ESTIMATORS: dict[str, type[Estimator]] = with_plug_ins(
    estimators.BUILT_IN,
    entry_points(group=GROUPS["estimators"]),
    check_estimator,
    "estimator",
)
"""Options model of every estimator and search, by its kind."""

AnyMetaParameter = Annotated[
    Union[tuple(META_PARAMETERS.values())],  # noqa: UP007
    Field(discriminator="kind"),
]
AnyInnerTask = Annotated[
    Union[tuple(INNER_TASKS.values())],  # noqa: UP007
    Field(discriminator="kind"),
]
AnyEstimator = Annotated[
    Union[tuple(ESTIMATORS.values())],  # noqa: UP007
    Field(discriminator="kind"),
]
