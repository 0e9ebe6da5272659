"""What a query can ask for: the fields by name, what each is compared with, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from engine.directions import BETTER
from engine.presets import PRESETS
from engine.spec.installed import ESTIMATORS
from engine.summary import best_of
from webapp.exports.metrics import METRICS, Metric, find_metric
from webapp.runs.models import Status
from webapp.runs.query.spec_fields import SpecField, spec_fields

Kind = Literal["choice", "text", "name", "digest", "person", "tag", "number", "moment", "age",
               "archived", "spec", "metric"]  # fmt: skip
ORDERED: tuple[Kind, ...] = ("number", "moment", "age", "metric")
"""Kinds that can be compared by size; a spec's field can where it is a number."""


@dataclass(frozen=True)
class Field:
    name: str
    kind: Kind
    help: str
    source: str = ""
    """The column of the run, with Django's double underscores; the path of a spec's field."""
    choices: Callable[[], Iterable[str]] = tuple
    unit: str = ""
    is_number: bool = False

    @property
    def is_ordered(self) -> bool:
        return self.kind in ORDERED or self.is_number


_RUN_FIELDS = (
    Field("status", "choice", "What the run is doing", "status", lambda: Status.values),
    Field("estimator", "choice", "Kind of estimator or search", "estimator",
          lambda: tuple(ESTIMATORS)),
    Field("preset", "choice", "Preset that its experiment started from", "experiment__preset",
          lambda: tuple(preset.slug for preset in PRESETS)),
    Field("queue", "choice", "Queue of its workers", "queue", lambda: ("cpu", "gpu")),
    Field("tag", "tag", "Tag that somebody gave it", "tags__name"),
    Field("owner", "person", "Who launched it; “me” is you", "experiment__owner__username"),
    Field("name", "name", "Its name or its experiment's"),
    Field("label", "text", "Its label: the estimator and its options", "label"),
    Field("error", "text", "Why it failed or stopped early", "error"),
    Field("worker", "text", "Worker that has it", "worker"),
    Field("configuration", "digest", "Digest of its spec without seed and name", "configuration"),
    Field("run", "number", "Its number", "pk"),
    Field("experiment", "number", "Number of its experiment", "experiment_id"),
    Field("seed", "number", "Its seed", "seed"),
    Field("step", "number", "Outer steps finished", "step"),
    Field("attempt", "number", "How often a worker began it", "attempt"),
    Field("created", "moment", "When it was launched", "created_at"),
    Field("started", "moment", "When its first worker began", "started_at"),
    Field("finished", "moment", "When it ended", "finished_at"),
    Field("age", "age", "How long ago it was launched", "created_at"),
    Field("archived", "archived", "Whether it is archived; such runs are left out unless you ask",
          "archived_at", lambda: ("yes", "no", "any")),
)  # fmt: skip
SHORT_NAMES = {
    "horizon": "inner.steps",
    "task": "inner_task.kind",
    "dataset": "inner_task.dataset",
    "window": "estimator.window",
    "optimizer": "inner.optimizer.kind",
    "learns": "meta_parameters.kind",
}
"""Fields of the spec that have a short name too."""


@cache
def fields() -> dict[str, Field]:
    """Every field by name: the run's own, short names, metrics, and the paths of the spec."""
    named = [*_RUN_FIELDS]
    of_spec = spec_fields()
    named += [_of_spec(short, of_spec[path]) for short, path in SHORT_NAMES.items()]
    named += [
        Field(name, "metric", metric.explanation, name, unit=metric.unit)
        for name, metric in METRICS.items()
    ]
    named += [_best_of(METRICS[name]) for name in BETTER]
    found = {field.name: field for field in named}
    for path, field in of_spec.items():
        found.setdefault(path, _of_spec(path, field))
    return found


def find_field(name: str) -> Field | None:
    """The field called `name`, whatever its case; a meta-parameter's `theta.*` among them."""
    if field := fields().get(name) or fields().get(name.lower()):
        return field
    if metric := find_metric(name):
        return Field(name, "metric", metric.explanation, name)
    return None


def _best_of(metric: Metric) -> Field:
    name = best_of(metric.name)
    return Field(name, "metric", metric.best_explanation, name, unit=metric.unit)


def _of_spec(name: str, field: SpecField) -> Field:
    return Field(
        name=name,
        kind="spec",
        help=field.help or f"{field.path} of its spec",
        source=field.path,
        choices=lambda: field.choices,
        is_number=field.is_number,
    )
