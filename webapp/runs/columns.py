"""The columns of the table of runs: what each shows of a run, and how the table is sorted by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

from django.db.models import F, OuterRef, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from engine.directions import BETTER
from engine.summary import best_of
from webapp.exports.metrics import METRICS, Metric, Unit, find_metric
from webapp.runs.models import Run
from webapp.runs.query.conditions import figure
from webapp.runs.query.spec_fields import SpecField, spec_fields
from webapp.runs.spec_values import leaves, value_of
from webapp.runs.table_models import Tag

Kind = Literal["run", "status", "tags", "moment", "number", "text"]
MOST_COLUMNS = 24
DEFAULT = ("run", "status", "tags", "meta_loss", "test", "bias_relative", "cosine", "peak_bytes",
           "seconds", "owner", "created")  # fmt: skip
METRIC_GROUP, BEST_GROUP = "Metrics", "Best of a metric"
TESTS = ("test", "best_test")


@dataclass(frozen=True)
class Column:
    name: str
    title: str
    kind: Kind
    sort: Combinable | None
    """None of a field of the spec, whose order `webapp.runs.spec_order` finds by its name."""
    read: Callable[[Run], Any]
    """The run's value: a number, a moment, a text, or None where it has none."""
    help: str = ""
    unit: Unit = ""
    group: str = "Run"
    """The heading under which the picker lists it."""
    needs_spec: bool = False
    falls_first: bool = False
    """Whether the first click on its header sorts from large to small."""

    @property
    def may_be_missing(self) -> bool:
        """Whether Postgres may have no value for it. For what it always has, its index gives the
        order; that of an order which puts missing values last is none that it has."""
        return self.group != "Run" or self.name in ("tags", "started", "finished", *TESTS)

    @property
    def is_figure(self) -> bool:
        """Whether it has a mean over seeds."""
        return self.group in (METRIC_GROUP, BEST_GROUP) or self.name in TESTS


def _spec_value(run: Run, path: str) -> str | None:
    """The field of the run's spec as a query writes it; several entries with commas between."""
    found = [value_of(name, value)[1] for name, value in leaves(run.spec) if name == path]
    return ", ".join(found) or None


def _test(run: Run) -> float | None:
    figures = run.figures
    return figures.get("test_accuracy", figures.get("test_loss"))


def _best_test(run: Run) -> float | None:
    figures = run.figures
    return figures.get(best_of("test_accuracy"), figures.get(best_of("test_loss")))


_FIRST_TAG = Subquery(Tag.objects.filter(runs=OuterRef("pk")).order_by("name").values("name")[:1])
_OF_THE_RUN = (
    Column("run", "Run", "run", F("label"), lambda run: run.title),
    Column("status", "Status", "status", F("status"), lambda run: run.status),
    Column("tags", "Tags", "tags", _FIRST_TAG, lambda run: [tag.name for tag in run.tags.all()]),
    Column("test", "Test", "number", Coalesce(figure("test_accuracy"), 0 - figure("test_loss")),
           _test, "Accuracy, or else loss, on what neither loop has seen.", falls_first=True),
    Column("best_test", "Test, best", "number",
           Coalesce(figure(best_of("test_accuracy")), 0 - figure(best_of("test_loss"))),
           _best_test, "The best of a run so far: highest accuracy, or else lowest loss.",
           falls_first=True),
    Column("estimator", "Estimator", "text", F("estimator"), lambda run: run.estimator),
    Column("seed", "Seed", "number", F("seed"), lambda run: run.seed),
    Column("number", "Number", "number", F("pk"), lambda run: run.pk),
    Column("experiment", "Experiment", "text", F("experiment__name"),
           lambda run: run.experiment.name),
    Column("preset", "Preset", "text", F("experiment__preset"),
           lambda run: run.experiment.preset or None),
    Column("owner", "Owner", "text", F("experiment__owner__username"),
           lambda run: run.experiment.owner.username),
    Column("step", "Steps", "number", F("step"), lambda run: run.step,
           "Outer steps finished.", falls_first=True),
    Column("attempt", "Attempt", "number", F("attempt"), lambda run: run.attempt),
    Column("worker", "Worker", "text", F("worker"), lambda run: run.worker or None),
    Column("queue", "Queue", "text", F("queue"), lambda run: run.queue),
    Column("created", "Launched", "moment", F("created_at"), lambda run: run.created_at,
           falls_first=True),
    Column("started", "Started", "moment", F("started_at"), lambda run: run.started_at,
           falls_first=True),
    Column("finished", "Ended", "moment", F("finished_at"), lambda run: run.finished_at,
           falls_first=True),
    Column("error", "Error", "text", F("error"), lambda run: run.error or None),
)  # fmt: skip


@cache
def columns() -> dict[str, Column]:
    """Every column by name, in the order of the picker; `theta.*` can be asked for besides."""
    found = {column.name: column for column in _OF_THE_RUN}
    found |= {metric.name: _of_metric(metric) for metric in METRICS.values()}
    found |= {best_of(name): _of_best(METRICS[name]) for name in BETTER}
    found |= {path: _of_spec(field) for path, field in spec_fields().items()}
    return found


def find_column(name: str) -> Column | None:
    if column := columns().get(name):
        return column
    metric = find_metric(name)
    return _of_metric(metric) if metric else None


def best_column(name: str) -> str:
    """The column with the best of what the column `name` has the last of; `name` where there is
    none."""
    return best_of(name) if best_of(name) in columns() else name


def last_column(name: str) -> str:
    """The other way round."""
    last = name.removeprefix(best_of(""))
    return last if last in columns() else name


def read_columns(names: Iterable[str]) -> tuple[Column, ...]:
    """The columns called `names`, each once, the run's own first; unknown ones are left out."""
    known = [find_column(name) for name in dict.fromkeys(("run", *names))]
    return tuple(column for column in known if column)[:MOST_COLUMNS]


def _of_metric(metric: Metric) -> Column:
    return Column(
        name=metric.name,
        title=metric.title,
        kind="number",
        sort=figure(metric.name),
        read=lambda run: run.figures.get(metric.name),
        help=metric.explanation,
        unit=metric.unit,
        group=METRIC_GROUP,
        falls_first=metric.better == "higher",
    )


def _of_best(metric: Metric) -> Column:
    name = best_of(metric.name)
    return replace(
        _of_metric(metric),
        name=name,
        title=metric.best_title,
        sort=figure(name),
        read=lambda run: run.figures.get(name),
        help=metric.best_explanation,
        group=BEST_GROUP,
    )


def _of_spec(field: SpecField) -> Column:
    return Column(
        name=field.path,
        title=field.path,
        kind="number" if field.is_number else "text",
        sort=None,
        read=lambda run: _spec_value(run, field.path),
        help=field.help,
        group="Spec",
        needs_spec=True,
    )
