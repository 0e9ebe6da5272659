"""Where a figure's numbers come from: what travels inside every exported file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from webapp.exports.figures import Figure
from webapp.runs.models import RunPicture


@dataclass(frozen=True)
class Provenance:
    """The experiments, runs, seeds and code behind a figure."""

    metric: str
    x_axis: str
    experiments: list[str]
    estimators: list[str]
    runs: list[int]
    seeds: list[int]
    code_versions: list[str]

    def as_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=True)


def provenance_of(figure: Figure) -> Provenance:
    runs = [run for trace in figure.traces for run in trace.configuration.runs]
    return Provenance(
        metric=figure.metric.name,
        x_axis=figure.x_axis.name,
        experiments=list(dict.fromkeys(run.experiment.name for run in runs)),
        estimators=[trace.label for trace in figure.traces],
        runs=[run.pk for run in runs],
        seeds=sorted({run.seed for run in runs}),
        code_versions=sorted({run.experiment.code_version for run in runs}),
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
