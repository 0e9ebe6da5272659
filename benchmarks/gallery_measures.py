"""What a cell of the gallery computes of its spec, as a plain document."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import engine
from benchmarks.graph_size import blank_pictures
from engine.advice.advice import advise
from engine.comparison import compare_gradients
from engine.events import Finished, Pictured, Point, Started
from engine.forecast.forecasting import forecast
from engine.forecast.graph_size import graph_size
from engine.plain import plain
from engine.spec import Experiment, expand, validate
from webapp.gallery.page import Cell

MOST_LISTED = 64
"""Entries of a meta-gradient up to which it is kept."""
DIGITS = 8


def measure(cell: Cell) -> dict[str, Any]:
    """The result of `cell`; raises `SpecError` for a spec that is none."""
    experiment = validate(dict(cell.spec))
    torch.set_num_threads(experiment.threads)
    how = {
        "gradient": _gradient,
        "run": _run,
        "forecast": _forecast,
        "graph_size": _graph_size,
        "advice": _advice,
    }
    return rounded(plain(how[cell.measure](cell, experiment)))


def _gradient(cell: Cell, experiment: Experiment) -> dict[str, Any]:
    document = compare_gradients(experiment)
    for row in [document["oracle"], *document["estimators"]]:
        if sum(np.size(leaf) for leaf in row.get("gradient", {}).values()) > MOST_LISTED:
            del row["gradient"]
    return document


def _run(cell: Cell, experiment: Experiment) -> dict[str, Any]:
    """Every planned run with its series thinned, its last figures and its chosen pictures.

    Runs of one `group` differ by their seed alone; groups are numbered as they appear, so that
    without a sweep a group is an estimator of the spec.
    """
    planned = {run.index: run for run in expand(experiment)}
    groups = list(dict.fromkeys(run.configuration for run in planned.values()))
    runs: dict[int, dict[str, Any]] = {}
    for event in engine.run(experiment):
        match event:
            case Started():
                runs[event.run] = {
                    "label": event.label,
                    "group": groups.index(planned[event.run].configuration),
                    "seed": event.seed,
                    "sweep": planned[event.run].sweep,
                    "meta_parameters": event.meta_parameter_count,
                    "series": {name: ([], []) for name in cell.series},
                    "pictures": [],
                }
            case Point():
                for name in cell.series:
                    if name in event.values:
                        steps, values = runs[event.run]["series"][name]
                        steps.append(event.step)
                        values.append(event.values[name])
            case Pictured() if event.picture.name in cell.pictures:
                picture = event.picture.model_dump(mode="json")
                runs[event.run]["pictures"].append({"step": event.step, "picture": picture})
            case Finished():
                kept = {k: v for k, v in event.summary.items() if not k.startswith("theta.")}
                runs[event.run] |= {"status": event.status, "reason": event.reason, "last": kept}
    for run in runs.values():
        run["series"] = {
            name: thinned(steps, values, cell.points)
            for name, (steps, values) in run["series"].items()
            if steps
        }
    return {"runs": list(runs.values())}


def _forecast(cell: Cell, experiment: Experiment) -> dict[str, Any]:
    """Memory and work without seconds, which would be those of one machine."""
    return {"estimators": [item.model_dump(mode="json") for item in forecast(experiment)]}


def _graph_size(cell: Cell, experiment: Experiment) -> dict[str, Any]:
    wanted = getattr(experiment.inner_task, "dataset", "") == "mini_imagenet"
    with blank_pictures(wanted):
        return graph_size(experiment).model_dump(mode="json")


def _advice(cell: Cell, experiment: Experiment) -> dict[str, Any]:
    """What the rules advise first, on no machine in particular."""
    found = advise(experiment, forecast=lambda single: forecast(single)[0])
    first = found.verdicts[0]
    return {"first": first.label, "kind": first.kind, "summary": found.summary}


def thinned(steps: list[int], values: list[float], most: int) -> tuple[list[int], list[float]]:
    """At most `most` of them, evenly apart, the first and the last too."""
    if len(steps) <= most:
        return steps, values
    kept = np.unique(np.linspace(0, len(steps) - 1, most).round().astype(int))
    return [steps[i] for i in kept], [values[i] for i in kept]


def rounded(value: Any) -> Any:
    """Floats to `DIGITS` significant digits: more would fill the file and say nothing."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {name: rounded(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return value
