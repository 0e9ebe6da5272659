"""Evolution strategies: elites on a learning rate, generation by generation."""

from __future__ import annotations

from typing import Any

from engine.pictures import Particles, Picture
from webapp.compare.scales import scale
from webapp.exports.charts import Chart, Stroke
from webapp.exports.numbers import format_value
from webapp.exports.pictures.axes import axis
from webapp.gallery.charts import chart, over_seeds
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

GENERATIONS = 12
SHOWN = (0, 1, 2, 3, 5, 8, 11)
STARTS = {"0.02": "0.02", "2": "2"}
ESTIMATORS = ("elites", "exact gradient", "evolution gradient")
RATES = (0.005, 0.05, 0.5, 5.0)


def _spec(start: str, seeds: list[int]) -> dict[str, Any]:
    return {
        "name": f"Elites on a learning rate, from {start}",
        "inner_task": {"kind": "image_mlp", "dataset": "digits", "hidden": [32]},
        "inner": {"steps": 30, "optimizer": {"kind": "sgd"}},
        "meta_parameters": [{"kind": "learning_rate", "initial": float(start), "scale": "log"}],
        "estimators": [
            {"kind": "elites", "population": 24, "elites": 6, "sigma": 2.0, "chunk": 25},
            {"kind": "unrolled", "storage": "checkpoint"},
            {
                "kind": "evolution", "mode": "antithetic", "particles": 8, "sigma": 0.3,
                "chunk": 8,
            },
        ],
        "outer": {
            "steps": GENERATIONS, "optimizer": {"kind": "adam", "learning_rate": 0.25},
        },
        "seeds": seeds,
        "probes": {"every": 1, "oracle": False},
    }  # fmt: skip


def _smallest() -> dict[str, Any]:
    """Two small generations: what a test computes again."""
    document = _spec("0.02", [0])
    search = {**document["estimators"][0], "population": 6, "elites": 3}
    return {**document, "estimators": [search], "outer": {"steps": 2}}


SERIES = ("meta_loss", "inner_steps", "sigma")
CELLS = (
    *(
        Cell(
            key={"start": start, "shows": shows},
            spec=_spec(start, [0, 1, 2] if shows == "losses" else [0]),
            series=SERIES,
            pictures=("particles",) if shows == "pictures" else (),
        )
        for start in STARTS
        for shows in ("pictures", "losses")
    ),
    Cell(key={"shows": "two generations"}, spec=_smallest(), series=SERIES),
)


def _experiment(choice: Choice) -> dict[str, Any]:
    return dict(PAGE.cell(start=choice["start"], shows="losses").spec)


def _pictures(stored: Stored) -> dict[int, Picture]:
    """Of the search, by generation."""
    [run] = [run for run in stored.runs if run["group"] == 0]
    return {each["step"]: Picture.model_validate(each["picture"]) for each in run["pictures"]}


def _draw(results: Results, choice: Choice) -> Drawn | None:
    stored = results.get(start=choice["start"], shows="pictures")
    losses = results.get(start=choice["start"], shows="losses")
    generation = int(choice["generation"])
    return Drawn(
        figures=(_generation(stored, generation), _spread(losses), _cost(losses)),
        finding=_finding(stored, generation),
    )


def _drawing(stored: Stored, generation: int) -> Particles:
    return _pictures(stored)[generation].drawing


def _finding(stored: Stored, generation: int) -> str:
    drawing = _drawing(stored, generation)
    rates = sorted(x for x, _ in drawing.points)
    return (
        f"Generation {generation}: learning rates from {format_value(rates[0])} to "
        f"{format_value(rates[-1])}, the best of them with a meta-loss of "
        f"{format_value(min(v for v in drawing.losses if v is not None))}. The lowest of the "
        f"surface is at {format_value(_best_rate(stored))}."
    )


def _best_rate(stored: Stored) -> float:
    """Where the last generation's surface is lowest."""
    drawing = _drawing(stored, GENERATIONS - 1)
    known = [(v, x) for x, v in zip(drawing.x, drawing.surface[0], strict=True) if v is not None]
    return min(known)[1]


def _generation(stored: Stored, generation: int) -> Chart:
    drawing = _drawing(stored, generation)
    surface = [number(value) for value in drawing.surface[0]]
    heights = [number(value) for value in drawing.losses]
    rates = [x for x, _ in drawing.points]
    mean = drawing.mean or (1.0, 1.0)
    return chart(
        PAGE,
        [stored],
        name="generation",
        title=f"Generation {generation} over the meta-loss",
        explanation="Each dot is a learning rate that was tried, with the validation loss after 30 "
        "steps of SGD. The square is the middle of the distribution they were drawn from.",
        x=axis("Learning rate", True, drawing.x),
        y=scale("Meta-loss", [*surface, 0.0], log=False).axis,
        strokes=[
            Stroke(
                label="meta-loss", x=tuple(drawing.x), y=tuple(surface), part="ink", slot=6,
                joined=True, marked=False,
            ),
            Stroke(
                label="proposals", x=tuple(rates), y=tuple(heights), slot=1,
                words=tuple(
                    f"{format_value(rate)}: {format_value(loss)}"
                    for rate, loss in zip(rates, heights, strict=True)
                ),
            ),
            Stroke(label="mean", x=(mean[0],), y=(mean[1],), slot=0, dash="dot"),
        ],
        summary=f"Generation {generation}: {len(rates)} proposals between "
        f"{format_value(min(rates))} and {format_value(max(rates))}, with meta-losses from "
        f"{format_value(min(heights))} to {format_value(max(heights))}.",
        header=("Learning rate", "Meta-loss"),
        rows=[
            (format_value(rate), format_value(loss))
            for rate, loss in sorted(zip(rates, heights, strict=True))
        ],
        records=[
            {"learning_rate": rate, "meta_loss": loss}
            for rate, loss in zip(rates, heights, strict=True)
        ],
    )  # fmt: skip


def _spread(stored: Stored) -> Chart:
    """The deviation of the distribution, in powers of e of the learning rate."""
    runs = [run["series"]["sigma"] for run in stored.runs if run["group"] == 0]
    banded = over_seeds([(steps, [number(v) for v in values]) for steps, values in runs])
    return chart(
        PAGE,
        [stored],
        name="spread",
        title="The distribution narrows",
        explanation="σ of the logarithm of the learning rate, refitted to the 6 best of 24. Band: "
        f"± 1 standard error over {banded.seeds} seeds.",
        x=axis("Generation", False, banded.x),
        y=scale("σ", [v for v in (*banded.low, *banded.high) if v > 0], log=True).axis,
        strokes=[
            Stroke(
                label="σ", x=banded.x, y=banded.mean, slot=1, joined=True, marked=False, band=True,
                y_low=banded.low, y_high=banded.high,
            )
        ],
        summary=f"σ falls from {format_value(banded.mean[0])} to {format_value(banded.mean[-1])} "
        f"in {GENERATIONS} generations.",
        header=("Generation", "σ"),
        rows=[
            (f"{x:g}", format_value(y)) for x, y in zip(banded.x, banded.mean, strict=True)
        ],
        records=[
            {"generation": x, "sigma": y} for x, y in zip(banded.x, banded.mean, strict=True)
        ],
    )  # fmt: skip


def _against_cost(stored: Stored, group: int):
    """Mean meta-loss over seeds against the inner steps that were run before."""
    runs = [run["series"] for run in stored.runs if run["group"] == group]
    return over_seeds(
        [(run["inner_steps"][1], [number(v) for v in run["meta_loss"][1]]) for run in runs]
    )


def _cost(stored: Stored) -> Chart:
    curves = [_against_cost(stored, group) for group in range(3)]
    values = [v for banded in curves for v in banded.mean if v is not None]
    return chart(
        PAGE,
        [stored],
        name="cost",
        title="What it costs",
        explanation="Meta-loss at the mean against the inner steps spent. Bands: ± 1 standard "
        f"error over {curves[0].seeds} seeds.",
        x=axis("Inner steps", True, [x for banded in curves for x in banded.x]),
        y=scale("Meta-loss", values, log=max(values) > 8 * min(values)).axis,
        strokes=[
            Stroke(
                label=label, x=banded.x, y=banded.mean, slot=slot, joined=True, marked=False,
                band=True, y_low=banded.low, y_high=banded.high,
            )
            for label, banded, slot in zip(ESTIMATORS, curves, (1, 6, 2), strict=True)
        ],
        summary="Meta-loss after the last step: "
        + ", ".join(
            f"{label} {format_value(banded.mean[-1])} after {banded.x[-1]:,.0f} inner steps"
            for label, banded in zip(ESTIMATORS, curves, strict=True)
        )
        + ".",
        header=("Method", "Inner steps", "Meta-loss"),
        rows=[
            (label, f"{banded.x[-1]:,.0f}", format_value(banded.mean[-1]))
            for label, banded in zip(ESTIMATORS, curves, strict=True)
        ],
        records=[
            {"method": label, "inner_steps": x, "meta_loss": y}
            for label, banded in zip(ESTIMATORS, curves, strict=True)
            for x, y in zip(banded.x, banded.mean, strict=True)
        ],
    )  # fmt: skip


def _nearest(results: Results) -> int:
    best = _best_rate(results.get(start="0.02", shows="pictures"))
    return min(range(len(RATES)), key=lambda i: abs(best / RATES[i] - 1) + abs(RATES[i] / best - 1))


PAGE = Page(
    slug="elites",
    title="Elites on a learning rate",
    question="How does an evolution strategy find a learning rate?",
    setting="The lecture's algorithm: draw 24 learning rates, run the inner loop with each, keep "
    "the 6 best, and draw the next 24 around those. The inner loop is 30 steps of SGD for a small "
    "perceptron on handwritten digits; the loss counts on held-out digits.",
    answer="In a few generations the distribution has moved into the valley and narrowed; with six "
    "elites it may stop short of the lowest point. Nothing is differentiated, and a learning rate "
    "that diverges does no harm. The price is a whole population of inner loops a generation.",
    prediction=Pick(
        question="Which learning rate gives the lowest loss after 30 steps of SGD?",
        options=tuple(f"about {rate:g}" for rate in RATES),
        right=_nearest,
        because="Thirty steps are few: a large learning rate gets furthest, until it diverges.",
    ),
    controls=(
        Control(
            name="generation",
            title="Generation",
            options={str(number): str(number) for number in SHOWN},
            default="0",
        ),
        Control(name="start", title="First mean", options=STARTS, default="0.02"),
    ),
    cells=CELLS,
    smallest={"shows": "two generations"},
    experiment=_experiment,
    draw=_draw,
    formulas=(
        Formula(
            r"\theta_i \sim \mathcal{N}(\mu, \sigma^2), \qquad i = 1 \ldots 24",
            "A generation; θ is the logarithm of the learning rate.",
        ),
        Formula(
            r"(\mu, \sigma^2) \leftarrow \text{mean and variance of the}\; 6 \;\text{best}\; "
            r"\theta_i",
            "The refit: the cross-entropy method.",
        ),
    ),
    reported=(
        Reported(
            claim="Elites find a good learning rate without a gradient",
            source="the lecture, elites on a learning rate",
            reported="the population gathers at the minimum",
            measured=lambda r: _spread(r.get(start="0.02", shows="losses")).text_summary,
        ),
        Reported(
            claim="A gradient needs fewer inner steps",
            source="the lecture, evolution strategies beside backpropagation",
            reported="a population multiplies the cost of every step",
            measured=lambda r: _cost(r.get(start="0.02", shows="losses")).text_summary,
            difference="One meta-parameter: where there are many, the gap widens.",
        ),
    ),
    claims=(
        Claim(
            text="Evolution strategies: elites on a learning rate, generation by generation",
            figure="generation",
            result=lambda r: _finding(
                r.get(start="0.02", shows="pictures"), GENERATIONS - 1
            ),
        ),
        Claim(
            text="What a population costs beside a gradient",
            figure="cost",
            result=lambda r: _cost(r.get(start="0.02", shows="losses")).text_summary,
        ),
    ),
    sources=(
        Source(
            "Rubinstein, “The cross-entropy method for combinatorial and continuous optimization”, "
            "1999"
        ),
        Source(
            "Salimans, Ho, Chen, Sidor and Sutskever, “Evolution strategies as a scalable "
            "alternative to reinforcement learning”, 2017",
            "https://arxiv.org/abs/1703.03864",
        ),
    ),
)  # fmt: skip
