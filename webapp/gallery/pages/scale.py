"""Do meta-learning methods scale? How big the computation graph is."""

from __future__ import annotations

from typing import Any

from webapp.compare.scales import scale
from webapp.exports.charts import Chart, Stroke
from webapp.exports.numbers import format_value
from webapp.exports.pictures.axes import Axis
from webapp.exports.ticks import log_ticks, tick_label
from webapp.gallery.charts import chart, count_axis, level
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
from webapp.gallery.results import Results, Stored
from webapp.graph_size.sizes import examples, in_words

LAPTOP, LARGE = 16e9, 80e9
HORIZONS = ("10", "30", "100", "300", "1000")
ESTIMATORS: dict[str, dict[str, Any]] = {
    "unrolled, full": {"kind": "unrolled", "storage": "full"},
    "unrolled, a state a step": {"kind": "unrolled", "storage": "per_step"},
    "unrolled, checkpoints": {"kind": "unrolled", "storage": "checkpoint"},
    "truncated, last 10": {"kind": "truncated", "window": 10},
    "forward mode": {"kind": "forward_mode"},
    "evolution, 8 particles": {"kind": "evolution", "particles": 8},
}
SHORT = ("full", "a state a step", "checkpoints", "window 10", "forward", "8 particles")
"""On an axis."""
QUICKSTART = "mlp-sgd"


def _digits(horizon: str) -> dict[str, Any]:
    return {
        "name": f"Memory against the horizon: {horizon} inner steps",
        "inner_task": {"kind": "image_mlp", "dataset": "digits", "hidden": [32]},
        "inner": {"steps": int(horizon)},
        "meta_parameters": [{"kind": "learning_rate", "initial": 0.01}],
        "estimators": list(ESTIMATORS.values()),
        "outer": {"steps": 1},
        "probes": {"oracle": False},
    }


def _quickstart() -> dict[str, Any]:
    [example] = [example for example in examples() if example.slug == QUICKSTART]
    return {**example.spec, "estimators": list(ESTIMATORS.values()), "probes": {"oracle": False}}


CELLS = (
    *(
        Cell(key={"loop": example.slug}, measure="graph_size", spec=example.spec)
        for example in examples()
    ),
    *(
        Cell(key={"measured": horizon}, measure="gradient", spec=_digits(horizon))
        for horizon in HORIZONS
    ),
    Cell(key={"forecast": "quickstart"}, measure="forecast", spec=_quickstart()),
)
TITLES = {example.slug: example.title for example in examples()}


def _experiment(choice: Choice) -> dict[str, Any]:
    return {**_digits("1000"), "sweep": {"inner.steps": [int(horizon) for horizon in HORIZONS]}}


def _sizes(results: Results) -> dict[str, Stored]:
    return {slug: results.get(loop=slug) for slug in TITLES}


def _steps(result: dict[str, Any], choice: Choice) -> int:
    return result["horizon"] if choice["steps"] == "own" else int(choice["steps"])


def _draw(results: Results, choice: Choice) -> Drawn | None:
    measured = [results.get(measured=horizon) for horizon in HORIZONS]
    return Drawn(
        figures=(
            _graphs(_sizes(results), choice),
            _forecast(results.get(forecast="quickstart")),
            _against_horizon(measured),
        ),
        finding=_finding(_sizes(results), choice),
    )


def _finding(sizes: dict[str, Stored], choice: Choice) -> str:
    found = {
        TITLES[slug]: each.result["bytes_per_step"] * _steps(each.result, choice)
        for slug, each in sizes.items()
    }
    over = sum(size > LARGE for size in found.values())
    one = sizes[QUICKSTART].result
    steps = _steps(one, choice)
    return (
        f"{over} of {len(found)} graphs exceed a GPU with 80 GB. The perceptron of the lecture "
        f"has {in_words(one['parameters'])} parameters; the graph of {steps:,} "
        f"step{'' if steps == 1 else 's'} has "
        f"{in_words(one['floats_per_step'] * steps)} floats: "
        f"{format_value(one['bytes_per_step'] * steps, 'B')}."
    )


def _graphs(sizes: dict[str, Stored], choice: Choice) -> Chart:
    """A dot for each inner loop: parameters across, the whole graph up."""
    rows = []
    for place, (slug, each) in enumerate(sizes.items()):
        found = each.result
        steps = _steps(found, choice)
        rows.append((place, TITLES[slug], found, steps, found["bytes_per_step"] * steps))
    low, high = min(row[4] for row in rows), max(row[4] for row in rows)
    ends = (min(low, LAPTOP) / 3, max(high, LARGE) * 3)
    parameters = (3e3, 2e8)
    return chart(
        PAGE,
        list(sizes.values()),
        name="graphs",
        title="The computation graph of ten inner loops",
        explanation="Every float that backpropagation through all inner steps keeps, in single "
        "precision; counted without allocating it.",
        x=count_axis("Parameters of the learner", *parameters),
        y=Axis(
            "Whole graph",
            True,
            tuple(log_ticks(*ends)),
            ends,
            tuple(tick_label(tick, "B") for tick in log_ticks(*ends)),
        ),
        strokes=[
            level(LAPTOP, parameters, "a laptop, 16 GB"),
            level(LARGE, parameters, "a large GPU, 80 GB", slot=1),
            *(
                Stroke(
                    label=title,
                    x=(float(found["parameters"]),),
                    y=(float(size),),
                    slot=place % 6,
                    dash=("solid", "dash")[place // 6],
                    words=(f"{steps:,} steps: {format_value(size, 'B')}",),
                )
                for place, title, found, steps, size in rows
            ),
        ],
        summary=_finding(sizes, choice),
        header=("Inner loop", "Parameters", "Meta-parameters", "Floats a step", "Steps",
                "Floats", "Memory"),
        rows=[
            (title, in_words(found["parameters"]), in_words(found["meta_parameters"]),
             in_words(found["floats_per_step"]), f"{steps:,}",
             in_words(found["floats_per_step"] * steps), format_value(size, "B"))
            for _, title, found, steps, size in rows
        ],
        records=[
            {"inner_loop": title, "parameters": found["parameters"],
             "meta_parameters": found["meta_parameters"],
             "floats_per_step": found["floats_per_step"], "steps": steps, "bytes": size}
            for _, title, found, steps, size in rows
        ],
    )  # fmt: skip


def _forecast(stored: Stored) -> Chart:
    """Bars as dots: what each estimator needs for the lecture's 4,000 steps."""
    found = {
        label: row["peak_bytes"] for label, row in zip(ESTIMATORS, stored.estimators, strict=True)
    }
    places = tuple(float(place) for place in range(1, len(found) + 1))
    ends = (0.5, len(found) + 0.5)
    return chart(
        PAGE,
        [stored],
        name="ways-out",
        title="The same 4,000 steps, other ways",
        explanation="Peak memory of one estimate for the perceptron 784-512-512-10, forecast from "
        "the estimator's own code on tensors without values.",
        x=Axis("Estimator", False, places, ends, SHORT),
        y=scale("Peak memory", found.values(), unit="B", log=True).axis,
        strokes=[
            level(LAPTOP, ends, "a laptop, 16 GB"),
            Stroke(
                label="peak memory", x=places, y=tuple(map(float, found.values())), slot=0,
                words=tuple(f"{k}: {format_value(v, 'B')}" for k, v in found.items()),
            ),
        ],
        summary="Peak memory at 4,000 steps: "
        + ", ".join(f"{label} {format_value(size, 'B')}" for label, size in found.items()) + ".",
        header=("Estimator", "Peak memory"),
        rows=[(label, format_value(size, "B")) for label, size in found.items()],
        records=[{"estimator": label, "peak_bytes": size} for label, size in found.items()],
    )  # fmt: skip


def _against_horizon(measured: list[Stored]) -> Chart:
    horizons = tuple(map(float, HORIZONS))
    found = {
        label: tuple(float(stored.estimators[place]["peak_bytes"]) for stored in measured)
        for place, label in enumerate(ESTIMATORS)
    }
    return chart(
        PAGE,
        measured,
        name="measured",
        title="Measured: peak memory against the horizon",
        explanation="A perceptron 64-32-10 on digits; live tensors at the peak of one estimate.",
        x=count_axis("Horizon T (inner steps)", 8, 1250),
        y=scale("Peak memory", [v for row in found.values() for v in row], unit="B", log=True).axis,
        strokes=[
            Stroke(
                label=label, x=horizons, y=row, slot=place, joined=True,
                words=tuple(format_value(v, "B") for v in row),
            )
            for place, (label, row) in enumerate(found.items())
        ],
        summary="From 10 to 1,000 inner steps peak memory grows by a factor of "
        + ", ".join(f"{row[-1] / row[0]:.3g} ({label})" for label, row in found.items()) + ".",
        header=("Estimator", *(f"T = {int(h):,}" for h in HORIZONS)),
        rows=[(label, *(format_value(v, "B") for v in row)) for label, row in found.items()],
        records=[
            {"estimator": label, "horizon": horizon, "peak_bytes": v}
            for label, row in found.items() for horizon, v in zip(horizons, row, strict=True)
        ],
    )  # fmt: skip


GUESSES = (1.7e7, 1.7e8, 1.7e9, 1.7e10)


def _nearest(results: Results) -> int:
    size = results.get(loop=QUICKSTART).result["bytes"]
    return min(range(len(GUESSES)), key=lambda i: abs(size / GUESSES[i] - 1))


def _quickstart_words(results: Results) -> str:
    found = results.get(loop=QUICKSTART).result
    return (
        f"{in_words(found['floats_per_step'])} floats a step, {in_words(found['floats'])} in all: "
        f"{format_value(found['bytes'], 'B')}"
    )


PAGE = Page(
    slug="scale",
    title="How big is the graph",
    question="Do meta-learning methods scale?",
    setting="Backpropagation through an inner loop keeps, of every step, the parameters, the "
    "activations, and what the inner gradient's own backward pass computed. Here that is counted "
    "for backbones and methods of the literature, from a small perceptron to WRN-28-10.",
    answer="Unrolled in full, no: memory is the graph of a step times the horizon. Checkpoints "
    "make √T of T for one more forward pass, windows and implicit differentiation make it "
    "constant, forward mode trades the horizon for the number of meta-parameters.",
    prediction=Pick(
        question="A perceptron 784-512-512-10 has 669,706 parameters: 2.7 MB. How big is the graph "
        "of 4,000 steps of SGD with batches of 64?",
        options=("about 17 MB", "about 170 MB", "about 1.7 GB", "about 17 GB"),
        right=_nearest,
        because="A step keeps about 4.3 MB: a state, the activations of a batch, and what the "
        "inner backward pass computed. Times 4,000.",
    ),
    controls=(
        Control(
            name="steps",
            title="Inner steps",
            options={"own": "as in the papers", "1": "1", "10": "10", "100": "100",
                     "1000": "1,000", "10000": "10,000"},
            default="own",
        ),
    ),
    cells=CELLS,
    smallest={"measured": "10"},
    experiment=_experiment,
    draw=_draw,
    formulas=(
        Formula(
            r"\text{graph} = T \cdot ( \lvert s \rvert + \lvert a \rvert + \lvert b \rvert )",
            "What full unrolling keeps: of every step its state s, its activations a, and what the "
            "inner backward pass b computed.",
        ),
        Formula(
            r"\text{checkpoints:}\quad 2 \sqrt{T} \cdot \lvert s \rvert + \text{graph of}\; "
            r"\sqrt{T} \;\text{steps}",
            "States at every √T-th step, and one segment at a time.",
        ),
    ),
    reported=(
        Reported(
            claim="The graph of a perceptron over 4,000 steps does not fit",
            source="the lecture, how big are computation graphs",
            reported="",
            measured=_quickstart_words,
            difference="Counted on the lab's own code; batches of 64, single precision.",
        ),
        Reported(
            claim="Memory grows with T only where the graph is kept",
            source="the lecture; Maclaurin, Duvenaud and Adams, 2015",
            reported="linear in T; flat for truncated and forward mode",
            measured=lambda r: _against_horizon(
                [r.get(measured=horizon) for horizon in HORIZONS]
            ).text_summary,
        ),
    ),
    claims=(
        Claim(
            text="Do meta-learning methods scale: how big is the computation graph",
            figure="graphs",
            result=lambda r: _finding(_sizes(r), PAGE.default),
        ),
        Claim(
            text="The quickstart perceptron over 4,000 steps",
            figure="ways-out",
            result=lambda r: _forecast(r.get(forecast="quickstart")).text_summary,
        ),
    ),
    sources=(
        Source(
            "Finn, Abbeel and Levine, “Model-agnostic meta-learning”, 2017",
            "https://arxiv.org/abs/1703.03400",
        ),
        Source(
            "Maclaurin, Duvenaud and Adams, “Gradient-based hyperparameter optimization through "
            "reversible learning”, 2015",
            "https://arxiv.org/abs/1502.03492",
        ),
        Source("Liu, Simonyan and Yang, “DARTS: differentiable architecture search”, 2019",
               "https://arxiv.org/abs/1806.09055"),
    ),
    data="The counts of image networks need Fashion-MNIST and the text of Austen, which "
    "python -m engine fetch downloads; what is launched here needs no download.",
)  # fmt: skip
