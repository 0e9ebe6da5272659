"""Forward mode: what it costs with more meta-parameters, beside a longer inner loop."""

from __future__ import annotations

from statistics import fmean
from typing import Any

from webapp.exports.charts import Chart
from webapp.exports.numbers import format_value
from webapp.gallery.charts import Banded, over_seeds
from webapp.gallery.page import (
    Cell,
    Choice,
    Claim,
    Control,
    Drawn,
    Formula,
    Page,
    Reported,
    Sketch,
    Source,
)
from webapp.gallery.plots import line_plot
from webapp.gallery.results import Results, Stored, last_values

HORIZONS = (16, 64)
LEARNED = {
    "one rate": "scalar",
    "a rate a tensor": "per_tensor",
    "a rate a step": "per_step",
    "all": "per_parameter",
}
"""What is learned, and the granularity that says so."""
OUTER_STEPS = 3
EXACT, RANDOM, FULL, CHECKPOINT = range(4)
"""Places of the estimators in a spec."""
LABELS = {
    EXACT: "forward mode",
    RANDOM: "forward, one random direction",
    FULL: "unrolled, whole graph",
    CHECKPOINT: "unrolled, checkpoints",
}


def _spec(steps: int, learned: str) -> dict[str, Any]:
    return {
        "name": f"Forward mode: {learned}, T = {steps}",
        "inner_task": {
            "kind": "image_mlp", "dataset": "mnist1d", "hidden": [24], "batch_size": 50,
        },
        "inner": {
            "steps": steps,
            "optimizer": {"kind": "momentum", "learning_rate": 0.05, "momentum": 0.9},
        },
        "meta_parameters": [
            {"kind": "learning_rate", "granularity": LEARNED[learned], "initial": 0.05}
        ],
        "estimators": [
            {"kind": "forward_mode"},
            {"kind": "forward_mode", "random_directions": 1},
            {"kind": "unrolled", "storage": "full"},
            {"kind": "unrolled", "storage": "checkpoint"},
        ],
        "outer": {"steps": OUTER_STEPS, "optimizer": {"kind": "adam", "learning_rate": 0.001}},
        "probes": {"every": OUTER_STEPS, "oracle": True, "draws": 8},
        "seeds": [0, 1, 2],
    }  # fmt: skip


CELLS = tuple(
    Cell(
        key={"steps": str(steps), "learned": learned},
        spec=_spec(steps, learned),
        series=("step_seconds",),
    )
    for steps in HORIZONS
    for learned in LEARNED
)


def _experiment(choice: Choice) -> dict[str, Any]:
    return _spec(int(choice["steps"]), "a rate a step")


def _cells(results: Results, steps: str) -> list[Stored]:
    return [results.get(steps=steps, learned=learned) for learned in LEARNED]


def _count(stored: Stored) -> int:
    return int(stored.runs[0]["meta_parameters"])


def _seconds(stored: Stored, estimator: int) -> list[float]:
    """Of every seed the least over its outer steps: whatever else a machine does only adds."""
    return [
        min(float(value) for value in run["series"]["step_seconds"][1])
        for run in stored.runs
        if run["group"] == estimator
    ]


def _draw(results: Results, choice: Choice) -> Drawn:
    steps = choice["steps"]
    cells = sorted(_cells(results, steps), key=_count)
    return Drawn(
        figures=(_time(cells, steps), _memory(cells, steps), _variance(cells, steps)),
        finding=_finding(results, steps),
    )


def _against_count(cells: list[Stored], columns: list[list[float]]) -> Banded:
    counts = tuple(_count(stored) for stored in cells)
    fewest = min(len(column) for column in columns)
    seeds = zip(*(column[:fewest] for column in columns), strict=True)
    return over_seeds([(counts, values) for values in seeds])


def _ratios(stored: Stored, estimator: int) -> list[float]:
    """Of every seed the time over that of backpropagation through the whole graph."""
    return [
        own / whole
        for own, whole in zip(_seconds(stored, estimator), _seconds(stored, FULL), strict=True)
    ]


def _time(cells: list[Stored], steps: str) -> Chart:
    return line_plot(
        PAGE,
        cells,
        {
            label: _against_count(cells, [_ratios(stored, place) for stored in cells])
            for place, label in LABELS.items()
        },
        name="time",
        title="Time of one meta-gradient against the number of meta-parameters",
        explanation=f"In times of backpropagation through the whole graph of {steps} inner steps.",
        x_title="Meta-parameters",
        y_title="Time over that of the whole graph",
        x_log=True,
        y_log=True,
    )


def _memory(cells: list[Stored], steps: str) -> Chart:
    return line_plot(
        PAGE,
        cells,
        {
            label: _against_count(
                cells, [last_values(stored, place, "peak_bytes") for stored in cells]
            )
            for place, label in LABELS.items()
        },
        name="memory",
        title="Memory of one meta-gradient against the number of meta-parameters",
        explanation=f"Peak bytes through {steps} inner steps. Those of forward mode are the same "
        "through more of them.",
        x_title="Meta-parameters",
        y_title="Peak memory",
        unit="B",
        x_log=True,
        y_log=True,
    )


def _variance(cells: list[Stored], steps: str) -> Chart:
    return line_plot(
        PAGE,
        cells,
        {
            LABELS[RANDOM]: _against_count(
                cells, [last_values(stored, RANDOM, "variance_relative") for stored in cells]
            )
        },
        name="variance",
        title="Variance of a single random direction",
        explanation="One tangent whatever the number: unbiased, of a variance that grows with it, "
        "in squared lengths of the exact meta-gradient.",
        x_title="Meta-parameters",
        y_title="Relative variance",
        x_log=True,
        y_log=True,
    )


def _ratio(stored: Stored) -> float:
    return fmean(_ratios(stored, EXACT))


def _bytes(stored: Stored, estimator: int) -> float:
    return fmean(last_values(stored, estimator, "peak_bytes"))


def _finding(results: Results, steps: str) -> str:
    few, many = (
        results.get(steps=steps, learned="one rate"),
        results.get(steps=steps, learned="all"),
    )
    return (
        f"With one meta-parameter forward mode takes {format_value(_ratio(few))} times as long as "
        f"backpropagation through the whole graph, with {_count(many):,} it takes "
        f"{format_value(_ratio(many))} times as long. With one it needs "
        f"{format_value(_bytes(few, EXACT), 'B')} where the graph has "
        f"{format_value(_bytes(few, FULL), 'B')}; with all, "
        f"{format_value(_bytes(many, EXACT), 'B')}."
    )


def _growth(results: Results, estimator: int) -> str:
    short, long = (results.get(steps=str(steps), learned="one rate") for steps in HORIZONS)
    return format_value(_bytes(long, estimator) / _bytes(short, estimator))


SKETCHED = (1, 4, 64, 1234)


def _sketched(results: Results) -> tuple[float | None, ...]:
    by_count = {_count(stored): _ratio(stored) for stored in _cells(results, "64")}
    return tuple(by_count.get(count) for count in SKETCHED)


PAGE = Page(
    slug="forward",
    title="Forward mode",
    question="When is forward mode the cheaper one?",
    setting="Forward mode carries the derivative of the state along with training, one tangent for "
    "each meta-parameter, and forgets the past at once. Backpropagation goes back over it, once, "
    "however many meta-parameters there are. A small network learns MNIST-1D for 16 or 64 steps; "
    "its learning rates, from one to one for each of its 1,234 parameters, are learned.",
    answer="With few meta-parameters and many inner steps: its memory does not grow with the "
    "steps, and its time and memory grow with the number of meta-parameters.",
    prediction=Sketch(
        question="How many times as long as backpropagation through the whole graph does forward "
        "mode take, through 64 inner steps?",
        x_title="Meta-parameters",
        y_title="Times as long",
        x=tuple(float(count) for count in SKETCHED),
        x_labels=tuple(f"{count:,}" for count in SKETCHED),
        ends=(0.3, 1000.0),
        ticks={1.0: "1 ×", 10.0: "10 ×", 100.0: "100 ×", 1000.0: "1,000 ×"},
        log=True,
        measured=_sketched,
        because="Every meta-parameter has its tangent. The first few are nearly free, as they are "
        "carried together; from some tens on, time grows with their number.",
        figure="time",
    ),
    controls=(
        Control(
            name="steps",
            title="Inner steps",
            options={str(steps): str(steps) for steps in HORIZONS},
            default="64",
        ),
    ),
    cells=CELLS,
    smallest={"steps": "16", "learned": "one rate"},
    experiment=_experiment,
    draw=_draw,
    formulas=(
        Formula(
            latex=r"Z_{t+1} = \frac{\partial \Phi_t}{\partial s} Z_t "
            r"+ \frac{\partial \Phi_t}{\partial \theta}, "
            r"\qquad \hat g = \frac{\partial F}{\partial s_T} Z_T",
            words="Z is the derivative of the state by θ, with a column for every meta-parameter: "
            "exact, and of a size that is constant in T.",
        ),
        Formula(
            latex=r"\hat g = \frac{1}{m} \sum_{i=1}^{m} u_i\, (u_i^{\top} g^{\ast})",
            words="Along m standard normal directions: m tangents, unbiased, and a variance that "
            "grows with the number of meta-parameters.",
        ),
    ),
    reported=(
        Reported(
            claim="Forward mode needs memory that does not depend on the number of inner steps, "
            "reverse mode memory in proportion to it",
            source="Franceschi, Donini, Frasconi and Pontil, 2017",
            reported="constant against linear in T",
            measured=lambda r: f"4 times the inner steps: {_growth(r, EXACT)} times the bytes of "
            f"forward mode, {_growth(r, FULL)} times those of the whole graph, "
            f"{_growth(r, CHECKPOINT)} times those of checkpoints",
            difference="A part of what is counted does not grow with T in either: the data of a "
            "step and its graph.",
        ),
        Reported(
            claim="Forward mode takes time in proportion to the number of meta-parameters",
            source="Franceschi, Donini, Frasconi and Pontil, 2017",
            reported="one more pass for each of them",
            measured=lambda r: f"{format_value(_ratio(r.get(steps='64', learned='all')))} times "
            "the time of backpropagation with 1,234 of them, through 64 inner steps",
            difference="Tangents are carried together, so that a thousand cost far less than a "
            "thousand passes.",
        ),
    ),
    claims=(
        Claim(
            text="Forward mode: the cost grows with the number of meta-parameters",
            figure="time",
            result=lambda r: _finding(r, "64"),
        ),
        Claim(
            text="Forward mode: memory does not grow with the inner steps",
            figure="memory",
            result=lambda r: f"4 times the inner steps: {_growth(r, EXACT)} times the bytes of "
            f"forward mode, {_growth(r, FULL)} times those of the whole graph",
        ),
    ),
    sources=(
        Source("Franceschi, Donini, Frasconi and Pontil, “Forward and reverse gradient-based "
               "hyperparameter optimization”, 2017", "https://arxiv.org/abs/1703.01785"),
    ),
)  # fmt: skip
