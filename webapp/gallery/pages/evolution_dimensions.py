"""Why evolution fails on initial parameters: its error against the number of meta-parameters."""

from __future__ import annotations

import math
from copy import deepcopy
from typing import Any

from webapp.compare.scales import scale
from webapp.exports.charts import Chart, Stroke
from webapp.exports.numbers import format_value
from webapp.gallery.charts import chart, count_axis, run_curves
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
from webapp.gallery.plots import training_plot
from webapp.gallery.results import Results, Stored, number

PARTICLES = (16, 64, 256)
MORE_PARTICLES = 1024
"""Offered, but not computed beforehand."""
DRAWS = 24
HIDDEN = {"650": [], "1,210": [16], "2,410": [32], "7,210": [96], "19,210": [256]}
"""Initial weights of a perceptron on 8 × 8 digits, by the widths of its hidden layers."""
RATES = {"1": ("scalar", []), "4": ("per_tensor", [16])}
"""Learning rates: one, or one for every tensor."""
TRAINED = "2,410"


def _spec(hidden: list[int], learned: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": "Evolution strategies against the number of meta-parameters",
        "inner_task": {"kind": "image_mlp", "dataset": "digits", "hidden": hidden},
        "inner": {"steps": 10, "optimizer": {"kind": "sgd", "learning_rate": 0.1}},
        "meta_parameters": [learned],
        "estimators": [
            {"kind": "unrolled", "storage": "full"},
            *(
                {
                    "kind": "evolution", "mode": "antithetic", "particles": particles,
                    "sigma": 0.02, "chunk": 64,
                }
                for particles in PARTICLES
            ),
        ],
        "probes": {"oracle": True, "draws": DRAWS},
        **more,
    }  # fmt: skip


def _initial_weights(count: str) -> dict[str, Any]:
    return _spec(HIDDEN[count], {"kind": "initialisation"})


def _smallest() -> dict[str, Any]:
    """Few draws of few particles: what a test computes again."""
    document = _spec([], {"kind": "learning_rate", "initial": 0.1})
    few = document["estimators"][:2]
    return {**document, "estimators": few, "probes": {"oracle": True, "draws": 3}}


CELLS = (
    *(
        Cell(
            key={"meta_parameters": count},
            measure="gradient",
            spec=_spec(
                hidden, {"kind": "learning_rate", "granularity": granularity, "initial": 0.1}
            ),
        )
        for count, (granularity, hidden) in RATES.items()
    ),
    *(
        Cell(key={"meta_parameters": count}, measure="gradient", spec=_initial_weights(count))
        for count in HIDDEN
    ),
    Cell(key={"shows": "three draws"}, measure="gradient", spec=_smallest()),
    Cell(
        key={"meta_parameters": TRAINED, "shows": "training"},
        spec=_spec(
            HIDDEN[TRAINED],
            {"kind": "initialisation"},
            outer={"steps": 15, "optimizer": {"kind": "adam", "learning_rate": 0.02}},
            seeds=[0, 1, 2],
            probes={"every": 100, "oracle": False},
        ),
    ),
)
COUNTS = tuple(int(count.replace(",", "")) for count in (*RATES, *HIDDEN))
ENDS = (0.5 * COUNTS[0], 2.0 * COUNTS[-1])


def _experiment(choice: Choice) -> dict[str, Any]:
    """The training, with the chosen number of particles too where it was not computed."""
    document = deepcopy(dict(PAGE.cell(meta_parameters=TRAINED, shows="training").spec))
    particles = int(choice["particles"])
    if particles not in PARTICLES:
        document["estimators"].append({**document["estimators"][-1], "particles": particles})
    return document


def _measured(results: Results) -> list[Stored]:
    return [results.get(meta_parameters=count) for count in (*RATES, *HIDDEN)]


def _errors(results: Results, particles: int) -> list[float]:
    """√variance over the exact norm: how far one estimate is from the mean of many."""
    place = 1 + PARTICLES.index(particles)
    rows = [stored.estimators[place] for stored in _measured(results)]
    return [math.sqrt(number(row["variance_relative"])) for row in rows]


def _theory(count: float, particles: int) -> float:
    """√((D + 1) / pairs), for a meta-loss that is linear as far as σ reaches."""
    return math.sqrt((count + 1) / (particles / 2))


def _draw(results: Results, choice: Choice) -> Drawn | None:
    particles = int(choice["particles"])
    if particles not in PARTICLES:
        return None
    return Drawn(
        figures=(
            _error_chart(results, particles),
            _training(results.get(meta_parameters=TRAINED, shows="training")),
        ),
        finding=_finding(results, particles),
    )


def _finding(results: Results, particles: int) -> str:
    errors = _errors(results, particles)
    return (
        f"With {particles} particles, one estimate for a single learning rate is off by "
        f"{format_value(errors[0])} of the gradient's length; for {COUNTS[-1]:,} initial weights "
        f"by {format_value(errors[-1])} times its length. Four times as many particles only halve "
        "that."
    )


def _error_chart(results: Results, particles: int) -> Chart:
    shown = {each: _errors(results, each) for each in PARTICLES}
    own = shown[particles]
    theory = [_theory(count, particles) for count in COUNTS]
    return chart(
        PAGE,
        _measured(results),
        name="error",
        title="Error of one estimate against the number of meta-parameters",
        explanation="In lengths of the exact meta-gradient: above 1, the noise is longer than the "
        "signal. Dashed: what a linear meta-loss would give.",
        x=count_axis("Meta-parameters", *ENDS),
        y=scale("Relative error", [*own, *theory, 1.0], log=True).axis,
        strokes=[
            *(
                Stroke(
                    label=f"{each} particles",
                    x=tuple(map(float, COUNTS)),
                    y=tuple(errors),
                    slot=1 if each == particles else 5,
                    dash="solid" if each == particles else "dot",
                    joined=True,
                    faint=each != particles,
                    words=tuple(
                        f"{count:,} meta-parameters: {format_value(error)}"
                        for count, error in zip(COUNTS, errors, strict=True)
                    ),
                )
                for each, errors in shown.items()
            ),
            Stroke(
                label="√((D + 1) / pairs)",
                x=tuple(map(float, COUNTS)),
                y=tuple(theory),
                part="ink",
                slot=6,
                dash="dash",
                joined=True,
                marked=False,
            ),
        ],
        summary=f"With {particles} particles the relative error grows from "
        f"{format_value(own[0])} for one meta-parameter to {format_value(own[-1])} for "
        f"{COUNTS[-1]:,}.",
        header=("Meta-parameters", *(f"{each} particles" for each in PARTICLES), "Linear"),
        rows=[
            (f"{count:,}", *(format_value(shown[each][i]) for each in PARTICLES),
             format_value(theory[i]))
            for i, count in enumerate(COUNTS)
        ],
        records=[
            {"meta_parameters": count, "particles": each, "relative_error": shown[each][i],
             "linear": _theory(count, each)}
            for i, count in enumerate(COUNTS) for each in PARTICLES
        ],
    )  # fmt: skip


def _training(stored: Stored) -> Chart:
    labels = ["exact", *(f"{particles} particles" for particles in PARTICLES)]
    curves = [run_curves(stored, group, "meta_loss") for group in range(len(labels))]
    return training_plot(
        PAGE,
        stored,
        dict(zip(labels, curves, strict=True)),
        title=f"Learning {TRAINED} initial weights",
        explanation="Meta-loss over the outer steps, the same outer optimizer for all. Bands: ± 1 "
        f"standard error over {curves[0].seeds} seeds.",
        y=scale("Meta-loss", [v for b in curves for v in (*b.low, *b.high)], log=True).axis,
    )


def _cosines(results: Results) -> str:
    rows = [results.get(meta_parameters=count).estimators[-1] for count in ("1", "19,210")]
    return (
        f"mean of {DRAWS} estimates with {PARTICLES[-1]} particles: cosine "
        f"{format_value(number(rows[0]['cosine']))} to the exact one for 1 learning rate, "
        f"{format_value(number(rows[1]['cosine']))} for 19,210 weights"
    )


PAGE = Page(
    slug="evolution-dimensions",
    title="Evolution on initial parameters",
    question="What happens if we optimise initial parameters with evolution strategies?",
    setting="Evolution strategies try θ in random directions and keep what helped. For a learning "
    "rate that works well. Here the same estimator is given more and more meta-parameters: one "
    "learning rate, one for every tensor, then all initial weights of larger and larger networks.",
    answer="Each pair of particles measures the gradient along one random line. With D "
    "meta-parameters there are D lines to measure, so the error grows as √D: for initial weights "
    "the estimate is noise, and more particles are too slow a cure. A gradient costs the same "
    "whatever D is.",
    prediction=Sketch(
        question="64 particles. Draw the error of one estimate, in lengths of the true "
        "meta-gradient, as the number of meta-parameters grows.",
        x_title="Meta-parameters",
        y_title="Relative error",
        x=tuple(map(float, COUNTS)),
        x_labels=(*RATES, *HIDDEN),
        ends=(0.01, 100.0),
        ticks={0.01: "0.01", 0.1: "0.1", 1.0: "1", 10.0: "10", 100.0: "100"},
        log=True,
        measured=lambda results: tuple(_errors(results, 64)),
        because="The error grows with the square root of the number of meta-parameters over the "
        "number of particles.",
        figure="error",
    ),
    controls=(
        Control(
            name="particles",
            title="Particles",
            options={str(n): f"{n:,}" for n in (*PARTICLES, MORE_PARTICLES)},
            default="64",
        ),
    ),
    cells=CELLS,
    smallest={"shows": "three draws"},
    experiment=_experiment,
    draw=_draw,
    formulas=(
        Formula(
            r"\hat g = \frac{1}{2 \sigma^2 N} \sum_{i=1}^{N} \varepsilon_i "
            r"\big[ F(\theta + \varepsilon_i) - F(\theta - \varepsilon_i) \big]",
            "N pairs of particles, each with its own direction.",
        ),
        Formula(
            r"\frac{\operatorname{tr} \operatorname{Cov} \hat g}{{\lVert g \rVert}^2} "
            r"= \frac{D + 1}{N}",
            "Of a linear F: the squared error grows with the number D of meta-parameters.",
        ),
    ),
    reported=(
        Reported(
            claim="Evolution strategies do not scale to many meta-parameters",
            source="the lecture; the variance of antithetic sampling on a linear function",
            reported="error √((D + 1) / N) for N pairs",
            measured=lambda r: (
                f"with {PARTICLES[1]} particles and 19,210 meta-parameters "
                f"{format_value(_errors(r, 64)[-1])}, against "
                f"{format_value(_theory(COUNTS[-1], 64))}"
            ),
            difference="The meta-loss is not linear, and the variance is estimated from "
            f"{DRAWS} draws.",
        ),
        Reported(
            claim="The direction is lost too",
            source="the lecture",
            reported="little is left of the direction",
            measured=_cosines,
            difference=f"The mean of {DRAWS} draws is better than one of them.",
        ),
    ),
    claims=(
        Claim(
            text="What happens if we optimise initial parameters with ES?",
            figure="training",
            result=lambda r: (
                _training(r.get(meta_parameters=TRAINED, shows="training")).text_summary
            ),
        ),
        Claim(
            text="The error of ES grows with the number of meta-parameters",
            figure="error",
            result=lambda r: _finding(r, 64),
        ),
    ),
    sources=(
        Source(
            "Salimans, Ho, Chen, Sidor and Sutskever, “Evolution strategies as a scalable "
            "alternative to reinforcement learning”, 2017",
            "https://arxiv.org/abs/1703.03864",
        ),
        Source(
            "Nesterov and Spokoiny, “Random gradient-free minimization of convex functions”, 2017"
        ),
    ),
)
