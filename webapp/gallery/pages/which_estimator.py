"""Which estimator when: the measured map over meta-parameters and horizon."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from webapp.compare.scales import scale
from webapp.exports.charts import Chart, Stroke
from webapp.exports.metrics import Unit
from webapp.exports.numbers import format_value
from webapp.exports.pictures.axes import Axis, axis
from webapp.gallery.charts import chart
from webapp.gallery.page import (
    Cell,
    Choice,
    Claim,
    Control,
    Drawn,
    Formula,
    Page,
    Pick,
    Reported,
    Source,
)
from webapp.gallery.results import Results, Stored, number

HORIZONS = ("10", "30", "100", "300", "1000")
GRANULARITIES = {"1": "scalar", "2": "per_tensor", "650": "per_parameter"}
ESTIMATORS: dict[str, dict[str, Any]] = {
    "unrolled, full": {"kind": "unrolled", "storage": "full"},
    "unrolled, checkpoints": {"kind": "unrolled", "storage": "checkpoint"},
    "truncated, last 10": {"kind": "truncated", "window": 10},
    "implicit, 20 of CG": {"kind": "implicit", "solver": "cg", "iterations": 20},
    "forward mode": {"kind": "forward_mode"},
    "evolution, 32 particles": {"kind": "evolution", "particles": 32, "sigma": 0.1, "chunk": 32},
}
LABELS = tuple(ESTIMATORS)
SHORT = dict(
    zip(LABELS, ("full", "checkpoints", "window", "implicit", "forward", "evolution"), strict=True)
)
"""On the map."""
LOOKS = ((0, "solid"), (5, "dash"), (1, "dot"), (2, "solid"), (4, "dash"), (3, "dot"))
"""Colour and symbol of each estimator."""
COUNTS: dict[str, tuple[str, str, Unit]] = {
    "memory": ("peak_bytes", "Peak memory", "B"),
    "time": ("seconds", "Seconds of one estimate", "s"),
}


def _spec(meta_parameters: str, horizon: str) -> dict[str, Any]:
    return {
        "name": f"Which estimator: {meta_parameters} weight decays, {horizon} inner steps",
        "inner_task": {
            "kind": "image_mlp", "dataset": "digits", "hidden": [], "batch_size": None,
            "train_examples": 200,
        },
        "inner": {
            "steps": int(horizon), "optimizer": {"kind": "sgd", "learning_rate": 0.3},
        },
        "meta_parameters": [
            {
                "kind": "weight_decay", "granularity": GRANULARITIES[meta_parameters],
                "initial": 0.03, "scale": "log",
            }
        ],
        "estimators": list(ESTIMATORS.values()),
        "outer": {"steps": 20, "optimizer": {"kind": "adam", "learning_rate": 0.1}},
        "probes": {"every": 10, "oracle": True, "draws": 6},
    }  # fmt: skip


CELLS = tuple(
    Cell(
        key={"meta_parameters": count, "horizon": horizon, "shows": shows},
        measure=shows,
        spec=_spec(count, horizon),
    )
    for count in GRANULARITIES
    for horizon in HORIZONS
    for shows in ("gradient", "advice")
)


def _experiment(choice: Choice) -> dict[str, Any]:
    return _spec(choice["meta_parameters"], "100")


@dataclass(frozen=True)
class Spot:
    """One estimator at one place of the map."""

    label: str
    look: tuple[int, str]
    error: float
    """√(bias² + variance) of one estimate, in lengths of the exact meta-gradient."""
    cost: float


def _spots(stored: Stored, counts: str) -> list[Spot]:
    series = COUNTS[counts][0]
    return [
        Spot(label, look, _error(row), number(row[series]))
        for label, look, row in zip(LABELS, LOOKS, stored.estimators, strict=True)
    ]


def _error(row: dict[str, Any]) -> float:
    variance = row["variance_relative"]
    return math.sqrt(number(row["bias_relative"]) ** 2 + (number(variance) if variance else 0.0))


def _winner(stored: Stored, choice: Choice) -> Spot:
    """The cheapest of those that are exact enough; unrolling always is."""
    allowed = float(choice["error"])
    known = [spot for spot in _spots(stored, choice["counts"]) if spot.error <= allowed]
    return min(known, key=lambda spot: spot.cost)


def _at(results: Results, count: str, horizon: str) -> Stored:
    return results.get(meta_parameters=count, horizon=horizon, shows="gradient")


def _draw(results: Results, choice: Choice) -> Drawn | None:
    count = choice["meta_parameters"]
    column = [_at(results, count, horizon) for horizon in HORIZONS]
    return Drawn(
        figures=(_map(results, choice), _costs(column, choice), _errors(column, choice)),
        finding=_finding(results, choice),
    )


def _finding(results: Results, choice: Choice) -> str:
    count = choice["meta_parameters"]
    winners = [_winner(_at(results, count, horizon), choice).label for horizon in HORIZONS]
    together = [
        (label, [f"{int(horizon):,}" for _, horizon in group])
        for label, group in groupby(zip(winners, HORIZONS, strict=True), key=itemgetter(0))
    ]
    said = "; ".join(
        f"{label} at T = {' to '.join(dict.fromkeys([at[0], at[-1]]))}" for label, at in together
    )
    what = "in memory" if choice["counts"] == "memory" else "in time"
    return (
        f"Cheapest {what} for {count} meta-parameter{'s' if count != '1' else ''} with at most "
        f"{100 * float(choice['error']):g} % error: {said}."
    )


def _map(results: Results, choice: Choice) -> Chart:
    _, _, unit = COUNTS[choice["counts"]]
    places = [(count, horizon) for count in GRANULARITIES for horizon in HORIZONS]
    found = [_at(results, *place) for place in places]
    winners = [_winner(stored, choice) for stored in found]
    advised = [
        results.get(meta_parameters=c, horizon=h, shows="advice").result["first"] for c, h in places
    ]
    across = {count: float(place) for place, count in enumerate(GRANULARITIES, start=1)}
    strokes = [
        Stroke(
            label=label,
            x=tuple(
                across[c] for (c, _), w in zip(places, winners, strict=True) if w.label == label
            ),
            y=tuple(
                float(h) for (_, h), w in zip(places, winners, strict=True) if w.label == label
            ),
            slot=look[0],
            dash=look[1],
            words=tuple(
                f"error {format_value(w.error)}, {format_value(w.cost, unit)}"
                for w in winners
                if w.label == label
            ),
        )
        for label, look in zip(LABELS, LOOKS, strict=True)
        if any(winner.label == label for winner in winners)
    ]
    names = Stroke(
        label="names",
        x=tuple(across[count] for count, _ in places),
        y=tuple(0.76 * float(horizon) for _, horizon in places),
        part="text",
        words=tuple(SHORT[winner.label] for winner in winners),
        in_legend=False,
    )
    return chart(
        PAGE,
        found,
        name="map",
        title="The cheapest that is exact enough",
        explanation="At every place all six estimators were measured; the mark is the cheapest "
        "whose error is within the limit.",
        x=Axis("Meta-parameters", False, tuple(across.values()), (0.5, 3.5), tuple(across)),
        y=Axis(
            "Horizon T (inner steps)",
            True,
            tuple(map(float, HORIZONS)),
            (5.0, 2000.0),
            tuple(f"{int(horizon):,}" for horizon in HORIZONS),
        ),
        strokes=[*strokes, names],
        summary=_finding(results, choice),
        header=("Meta-parameters", "Horizon", "Cheapest", "Error", "Cost", "The lab's advice"),
        rows=[
            (count, f"{int(horizon):,}", winner.label, format_value(winner.error),
             format_value(winner.cost, unit), first)
            for (count, horizon), winner, first in zip(places, winners, advised, strict=True)
        ],
        records=[
            {"meta_parameters": int(count), "horizon": int(horizon), "estimator": spot.label,
             "error": spot.error, choice["counts"]: spot.cost,
             "cheapest": "yes" if spot.label == winner.label else "no"}
            for (count, horizon), stored, winner in zip(places, found, winners, strict=True)
            for spot in _spots(stored, choice["counts"])
        ],
    )  # fmt: skip


def _lines(
    column: list[Stored],
    choice: Choice,
    *,
    name: str,
    title: str,
    explanation: str,
    y: str,
    unit: Unit,
    value: str,
) -> Chart:
    """One figure of every estimator against the horizon."""
    spots = [_spots(stored, choice["counts"]) for stored in column]
    horizons = tuple(map(float, HORIZONS))
    values = {
        label: tuple(getattr(row[place], value) for row in spots)
        for place, label in enumerate(LABELS)
    }
    shown = [v for row in values.values() for v in row if v > 1e-9]
    return chart(
        PAGE,
        column,
        name=name,
        title=title,
        explanation=explanation,
        x=axis("Horizon T (inner steps)", True, horizons),
        y=scale(y, shown, unit=unit, log=True).axis,
        strokes=[
            Stroke(
                label=label, x=horizons, y=tuple(v if v > 1e-9 else None for v in row),
                slot=look[0], dash=look[1], joined=True,
                words=tuple(format_value(v, unit) for v in row),
            )
            for (label, row), look in zip(values.items(), LOOKS, strict=True)
        ],
        summary=f"At T = {int(horizons[-1]):,}: "
        + ", ".join(f"{label} {format_value(row[-1], unit)}" for label, row in values.items())
        + ".",
        header=("Estimator", *(f"T = {int(horizon):,}" for horizon in horizons)),
        rows=[(label, *(format_value(v, unit) for v in row)) for label, row in values.items()],
        records=[
            {"estimator": label, "horizon": horizon, value: v}
            for label, row in values.items() for horizon, v in zip(horizons, row, strict=True)
        ],
    )  # fmt: skip


def _costs(column: list[Stored], choice: Choice) -> Chart:
    _, title, unit = COUNTS[choice["counts"]]
    return _lines(
        column, choice, name="cost", title=f"{title} against the horizon",
        explanation=f"With {choice['meta_parameters']} of them to learn.", y=title, unit=unit,
        value="cost",
    )  # fmt: skip


def _errors(column: list[Stored], choice: Choice) -> Chart:
    return _lines(
        column, choice, name="error", title="Error against the horizon",
        explanation="√(bias² + variance) of one estimate, in lengths of the exact one; what is "
        "exact up to rounding is far below.", y="Relative error", unit="", value="error",
    )  # fmt: skip


ASKED = ("unrolled, full", "truncated, last 10", "implicit, 20 of CG", "forward mode")
USUAL = {"counts": "memory", "error": "0.1", "meta_parameters": "650"}


def _agreement(results: Results) -> str:
    """How often the first advice is among those that are exact enough, and the cheapest."""
    places = [(count, horizon) for count in GRANULARITIES for horizon in HORIZONS]
    exact = cheapest = 0
    for count, horizon in places:
        stored = _at(results, count, horizon)
        advised = results.get(meta_parameters=count, horizon=horizon, shows="advice").result["kind"]
        good = {
            row["spec"]["kind"] for row in stored.estimators if _error(row) <= float(USUAL["error"])
        }
        winners = {_winner(stored, {**USUAL, "counts": counts}).label for counts in COUNTS}
        exact += advised in good
        cheapest += any(ESTIMATORS[label]["kind"] == advised for label in winners)
    return (
        f"the kind that is advised first is within 10 % at {exact} of {len(places)} places, and "
        f"the cheapest in time or in memory at {cheapest}"
    )


PAGE = Page(
    slug="which-estimator",
    title="Which estimator when",
    question="Which estimator should I use, and when?",
    setting="Logistic regression on 200 handwritten digits learns its weight decay: one for all "
    "weights, one for each of its two tensors, or one for each of its 650 weights. The inner loop "
    "has from 10 to 1,000 steps. Six estimators were measured at every place of that map.",
    answer="While the graph fits, unroll: it is exact, and with checkpoints it is small too. Once "
    "training has converged, implicit differentiation needs the last step alone. Forward mode is "
    "exact with memory that does not grow with T, at a price for every meta-parameter: right for "
    "two, not for 650. A window of ten steps pays only where a large error is allowed.",
    prediction=Pick(
        question="650 weight decays, 1,000 inner steps, at most 10 % error: which of these needs "
        "the least memory?",
        options=tuple(label.partition(",")[0] for label in ASKED),
        right=lambda results: min(

                (spot.cost, ASKED.index(spot.label))
                for spot in _spots(_at(results, "650", "1000"), "memory")
                if spot.label in ASKED and spot.error <= 0.1

        )[1],
        because="What it must keep does not grow with T, nor with the number of meta-parameters.",
    ),
    controls=(
        Control(
            name="counts", title="What counts", options={"memory": "Memory", "time": "Time"},
            default="memory",
        ),
        Control(
            name="error", title="Error allowed",
            options={"0.01": "1 %", "0.1": "10 %", "0.5": "50 %"}, default="0.1",
        ),
        Control(
            name="meta_parameters", title="Meta-parameters, below",
            options={count: count for count in GRANULARITIES}, default="650",
        ),
    ),
    cells=CELLS,
    smallest={"meta_parameters": "1", "horizon": "10", "shows": "gradient"},
    experiment=_experiment,
    draw=_draw,
    formulas=(
        Formula(
            r"\text{backward:}\; O(T) \qquad \text{forward:}\; O(\dim \theta) \qquad "
            r"\text{implicit:}\; O(1)",
            "Memory, in states; checkpoints make O(√T) of O(T).",
        ),
        Formula(
            r"\mathbb{E} {\lVert \hat g - g^{\ast} \rVert}^2 = {\lVert \text{bias} \rVert}^2 + "
            r"\operatorname{tr} \operatorname{Cov} \hat g",
            "What one estimate is off by.",
        ),
    ),
    reported=(
        Reported(
            claim="Implicit or forward mode: which to choose",
            source="the lecture",
            reported="forward mode for few meta-parameters; implicit for long, converged loops",
            measured=lambda r: _finding(r, USUAL),
            difference="One convex task; docs/forecast.md has the rules and their sources.",
        ),
        Reported(
            claim="The lab's own advice is sound",
            source="docs/forecast.md, rules of the advice",
            reported="",
            measured=_agreement,
            difference="The advice weighs memory, time and bias at once, and knows no limit of "
            "error.",
        ),
    ),
    claims=(
        Claim(
            text="Implicit and forward mode: which to choose",
            figure="map",
            result=lambda r: _finding(r, USUAL),
        ),
        Claim(
            text="Which estimator, by number of meta-parameters and horizon",
            figure="map",
            result=lambda r: _finding(r, {**USUAL, "counts": "time", "meta_parameters": "1"}),
        ),
    ),
    sources=(
        Source(
            "Lorraine, Vicol and Duvenaud, “Optimizing millions of hyperparameters by implicit "
            "differentiation”, 2020",
            "https://arxiv.org/abs/1911.02590",
        ),
        Source(
            "Franceschi, Donini, Frasconi and Pontil, “Forward and reverse gradient-based "
            "hyperparameter optimization”, 2017",
            "https://arxiv.org/abs/1703.01785",
        ),
    ),
)  # fmt: skip
