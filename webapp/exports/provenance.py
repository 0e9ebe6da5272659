"""Where a figure's numbers come from: what travels inside every exported file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from webapp.exports.configurations import Configuration
from webapp.exports.figures import Figure
from webapp.runs.models import RunPicture

if TYPE_CHECKING:
    from webapp.compare.statistics import SummaryTable
    from webapp.exports.charts import Chart


@dataclass(frozen=True)
class Provenance:
    """The experiments, runs, seeds, specs and code behind a figure or a table."""

    metric: str
    x_axis: str
    experiments: list[str]
    estimators: list[str]
    runs: list[int]
    seeds: list[int]
    code_versions: list[str]
    specs: dict[str, dict[str, Any]]
    """The whole spec of each experiment, by its number."""
    drawn: dict[str, Any] = field(default_factory=dict)
    """How the curves were drawn: scale, smoothing."""

    def as_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=True)


def provenance_of(figure: Figure) -> Provenance:
    return provenance_of_runs(
        [trace.configuration for trace in figure.traces],
        metric=figure.metric.name,
        x_axis=figure.x_axis.name,
        drawn={"log": figure.y_axis.log, "smoothing": figure.smoothing},
    )


def provenance_of_chart(chart: Chart) -> Provenance:
    return provenance_of_runs(
        chart.configurations,
        metric=chart.y_axis.title,
        x_axis=chart.x_axis.title,
        drawn={"note": chart.note},
    )


def provenance_of_summary(table: SummaryTable) -> Provenance:
    return provenance_of_runs(
        [row.configuration for row in table.rows],
        metric=" ".join(column.metric.name for column in table.columns),
    )


def provenance_of_runs(
    groups: Iterable[Configuration], *, metric: str, x_axis: str = "", drawn: Any = None
) -> Provenance:
    """The origin of anything that is made of the runs of `groups`."""
    groups = list(groups)
    runs = [run for group in groups for run in group.runs]
    experiments = {run.experiment_id: run.experiment for run in runs}
    return Provenance(
        metric=metric,
        x_axis=x_axis,
        experiments=list(dict.fromkeys(each.name for each in experiments.values())),
        estimators=[group.label for group in groups],
        runs=[run.pk for run in runs],
        seeds=sorted({run.seed for run in runs}),
        code_versions=sorted({each.code_version for each in experiments.values()}),
        specs={str(number): each.spec for number, each in experiments.items()},
        drawn=drawn or {},
    )


@dataclass(frozen=True)
class PictureProvenance:
    """The run, its seed and spec, and the code behind a picture."""

    picture: str
    step: int
    experiment: str
    estimator: str
    run: int
    seed: int
    code_version: str
    spec: dict[str, Any]

    def as_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=True)


def provenance_of_picture(picture: RunPicture) -> PictureProvenance:
    run = picture.run
    return PictureProvenance(
        picture=picture.name,
        step=picture.step,
        experiment=run.experiment.name,
        estimator=run.label,
        run=run.pk,
        seed=run.seed,
        code_version=run.experiment.code_version,
        spec=run.spec,
    )
