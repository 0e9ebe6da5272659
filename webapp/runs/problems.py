"""Why a run ended early, and what may be done about it: to go on, or to start again with a change.

Free of torch: the change is an edit of the spec that its rules allow. What it costs, the builder
says, where the link opens.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode

from engine.spec import Experiment, SpecError, validate
from engine.spec.editing import edited
from webapp.runs.models import Run, Status
from webapp.runs.services import MOST_LOSSES

Kind = Literal["memory", "budget", "diverged", "lost", "other"]
Edits = dict[str, Any]
MOST_FIXES = 4
TITLES: dict[Kind, str] = {
    "memory": "It needed more memory than it may have",
    "budget": "Its budget of time is used up",
    "diverged": "It diverged",
    "lost": "Its worker vanished too often",
    "other": "It failed",
}


@dataclass(frozen=True)
class Fix:
    """A change with which to launch the run again."""

    title: str
    price: str
    """What else it changes."""
    href: str
    """The builder, opened with it."""


@dataclass(frozen=True)
class Problem:
    kind: Kind
    fixes: list[Fix]

    @property
    def title(self) -> str:
        return TITLES[self.kind]


def problem_of(run: Run) -> Problem | None:
    """What went wrong in a run that failed or is out of budget; nothing of any other."""
    if run.status not in (Status.FAILED, Status.OUT_OF_BUDGET):
        return None
    kind = _kind(run)
    return Problem(kind, _fixes(run, kind))


def _kind(run: Run) -> Kind:
    if run.status == Status.OUT_OF_BUDGET:
        return "budget" if run.error.startswith("the budget of") else "memory"
    if run.times_lost >= MOST_LOSSES:
        return "lost"
    watched = (run.figures.get(name) for name in ("meta_loss", "gradient_norm"))
    if any(value is not None and not math.isfinite(value) for value in watched):
        return "diverged"
    return "memory" if "memory" in run.error else "other"


def _fixes(run: Run, kind: Kind) -> list[Fix]:
    try:
        experiment = validate(run.spec)
    except SpecError:  # the package of its inner task may be gone
        return []
    found = []
    for title, price, change in _CHANGES.get(kind, ()):
        edits = change(experiment, run)
        if edits and _is_allowed(run.spec, edits):
            value = next(iter(edits.values()))
            shown = f"{value:.4g}" if isinstance(value, float) else value
            query = urlencode({"clone": run.pk, "edit": json.dumps(edits)})
            found.append(Fix(title.format(value=shown), price, f"/experiments/new?{query}"))
    return found[:MOST_FIXES]


def _is_allowed(spec: dict[str, Any], edits: Edits) -> bool:
    try:
        validate(edited(spec, edits))
    except (SpecError, KeyError, IndexError, TypeError, ValueError):
        return False
    return True


Change = Callable[[Experiment, Run], Edits | None]


def _set(path: str, value: Any) -> Change:
    """Another value at `path`, where there is one that is not it."""

    def edits(experiment: Experiment, run: Run) -> Edits | None:
        here = _at(experiment, path)
        return {path: value} if here not in (_MISSING, value) else None

    return edits


def _times(path: str, factor: float, least: float = 0.0) -> Change:
    """The number at `path` times `factor`; a whole number stays one."""

    def edits(experiment: Experiment, run: Run) -> Edits | None:
        here = _at(experiment, path)
        if isinstance(here, bool) or not isinstance(here, int | float):
            return None
        value = math.floor(here * factor) if isinstance(here, int) else here * factor
        return {path: value} if least <= value != here else None

    return edits


def _inner_rate(experiment: Experiment, run: Run) -> Edits | None:
    """Half of the learning rate that is learned, where there is one."""
    for index, meta_parameter in enumerate(experiment.meta_parameters):
        if meta_parameter.kind == "learning_rate":
            return _times(f"meta_parameters.{index}.initial", 0.5)(experiment, run)
    return None


def _as_far_as_it_came(experiment: Experiment, run: Run) -> Edits | None:
    return {"outer.steps": run.step} if run.step else None


_MISSING = object()


def _at(experiment: Experiment, path: str) -> Any:
    value: Any = experiment
    for part in path.split("."):
        value = value[int(part)] if isinstance(value, list) else getattr(value, part, _MISSING)
    return value


_CHANGES: dict[Kind, tuple[tuple[str, str, Change], ...]] = {
    "memory": (
        ("Checkpointed storage", "the same gradient, in more time",
         _set("estimators.0.storage", "checkpoint")),
        ("One estimate at a time", "the same estimate, in more time",
         _set("estimators.0.chunk", 1)),
        ("Window {value}", "more biased", _times("estimators.0.window", 0.5, 1)),
        ("{value} particles", "twice the variance", _times("estimators.0.particles", 0.5, 2)),
        ("Batches of {value}", "another inner loss", _times("inner_task.batch_size", 0.5, 1)),
        ("Horizon {value}", "a shorter inner loop", _times("inner.steps", 0.5, 1)),
    ),
    "budget": (
        ("No bound on time", "from the start", _set("budget.seconds", None)),
        ("Twice the time", "from the start", _times("budget.seconds", 2.0)),
        ("{value} outer steps", "as far as it came", _as_far_as_it_came),
    ),
    "diverged": (
        ("Outer learning rate {value}", "a tenth", _times("outer.optimizer.learning_rate", 0.1)),
        ("First inner learning rate {value}", "half", _inner_rate),
        ("Meta-gradients of norm 1 at most", "longer ones are clipped",
         _set("outer.clip_norm", 1.0)),
        ("Horizon {value}", "a shorter inner loop", _times("inner.steps", 0.5, 1)),
    ),
}  # fmt: skip
