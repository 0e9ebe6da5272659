"""A gradient method and the searches on one chart, against the inner steps that each has spent."""

import numpy as np

from engine import run as run_experiment
from engine.events import Point
from engine.spec import validate
from tests.webapp.exports.curves import run
from webapp.exports.figures import build_figure
from webapp.exports.metrics import METRICS
from webapp.exports.plotly_figure import plotly_figure

SPENT = {
    "unrolled": 8,
    "elites": (4 + 1) * 8,
    "random": (4 + 1) * 8,
    "population_based": 4 * 2,
}
"""Inner steps of one outer step: loops of T = 8, the incumbent's among them; intervals of 2."""


def test_every_curve_stands_at_the_inner_steps_that_it_has_spent() -> None:
    small = {"population": 4, "chunk": 4}
    spec = validate(
        {
            "inner_task": {"kind": "quadratic", "dimension": 3},
            "inner": {"steps": 8},
            "estimators": [
                {"kind": "unrolled", "storage": "full"},
                {"kind": "elites", "elites": 2, **small},
                {"kind": "random", **small},
                {"kind": "population_based", "interval": 2, **small},
            ],
            "outer": {"steps": 3},
        }
    )
    series: dict[int, dict[str, list[tuple[int, float]]]] = {}
    for event in run_experiment(spec):
        if isinstance(event, Point):
            for name, value in event.values.items():
                series.setdefault(event.run, {}).setdefault(name, []).append((event.step, value))
    arrays = {
        pk: {name: tuple(map(np.array, zip(*points, strict=True))) for name, points in own.items()}
        for pk, own in series.items()
    }
    runs = [run(index, label=item.label) for index, item in enumerate(spec.estimators)]
    figure = build_figure(runs, arrays, METRICS["meta_loss"], x="inner_steps")
    assert figure.x_axis.full_title == "Inner steps"
    assert [trace.label for trace in figure.traces] == [item.label for item in spec.estimators]
    for trace, spent in zip(figure.traces, SPENT.values(), strict=True):
        assert trace.x.tolist() == [spent, 2 * spent, 3 * spent]
        assert np.isfinite(trace.y).all()
    lines = [data for data in plotly_figure(figure)["data"] if data["meta"]["part"] == "line"]
    assert [line["x"] for line in lines] == [trace.x.tolist() for trace in figure.traces]
