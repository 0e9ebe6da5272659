"""What happens if the window of truncated backpropagation is short?"""

from __future__ import annotations

from typing import Any

from webapp.compare.scales import scale
from webapp.exports.charts import Chart, Stroke
from webapp.exports.numbers import format_value
from webapp.exports.pictures.axes import axis
from webapp.gallery.charts import chart, level, run_curves
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

INFLUENCE_WINDOWS = (1, 2, 5, 10, 15, 20, 25, 30, 35, 38, 40, 41, 42, 45, 50, 60, 80, 100, 120)
QUADRATIC_WINDOWS = (1, 2, 5, 10, 20, 50, 100)
DIGITS_WINDOWS = (1, 2, 5, 10, 20, 30, 40)
TASKS = {
    "influence": "Influence balancing",
    "quadratic": "Noisy quadratic",
    "digits": "Perceptron on digits",
}
TRAINED = {"influence": (1, 20, 50, 100), "quadratic": (1, 10), "digits": (1, 5, 20)}
MODE = {"influence": "last_k", "quadratic": "windows", "digits": "last_k"}


def _problem(task: str) -> dict[str, Any]:
    if task == "influence":
        return {
            "inner_task": {"kind": "influence_balancing"},
            "inner": {"steps": 120},
            "meta_parameters": [{"kind": "drive", "initial": 0.5}],
            "outer": {"steps": 40, "optimizer": {"kind": "adam", "learning_rate": 0.03}},
            "precision": "float64",
        }
    if task == "quadratic":
        return {
            "inner_task": {
                "kind": "noisy_quadratic", "dimension": 50, "condition_number": 1000.0,
                "noise": 1.0,
            },
            "inner": {"steps": 100},
            "meta_parameters": [
                {
                    "kind": "learning_rate", "granularity": "per_step", "initial": 0.3,
                    "scale": "log",
                }
            ],
            "objective": "average",
            "outer": {"steps": 60, "optimizer": {"kind": "adam", "learning_rate": 0.1}},
            "precision": "float64",
        }  # fmt: skip
    return {
        "inner_task": {"kind": "image_mlp", "dataset": "digits", "hidden": [32]},
        "inner": {"steps": 40, "optimizer": {"kind": "sgd", "learning_rate": 0.1}},
        "meta_parameters": [{"kind": "learning_rate", "initial": 0.1}],
        "outer": {"steps": 40, "optimizer": {"kind": "adam", "learning_rate": 0.02}},
    }


def _spec(task: str, windows: tuple[int, ...], **more: Any) -> dict[str, Any]:
    return {
        "name": f"Short windows: {TASKS[task].lower()}",
        **_problem(task),
        "estimators": [
            {"kind": "unrolled", "storage": "checkpoint"},
            *({"kind": "truncated", "mode": MODE[task], "window": k} for k in windows),
        ],
        "probes": {"every": 20, "oracle": True},
        **more,
    }


WINDOWS = {
    "influence": INFLUENCE_WINDOWS, "quadratic": QUADRATIC_WINDOWS, "digits": DIGITS_WINDOWS,
}  # fmt: skip
CELLS = tuple(
    cell
    for task in TASKS
    for cell in (
        Cell(
            key={"task": task, "shows": "gradient"},
            measure="gradient",
            spec=_spec(task, WINDOWS[task]),
        ),
        Cell(
            key={"task": task, "shows": "training"},
            spec=_spec(task, TRAINED[task], seeds=[0, 1, 2] if task == "digits" else [0]),
        ),
    )
)


def _experiment(choice: Choice) -> dict[str, Any]:
    return dict(PAGE.cell(task=choice["task"], shows="training").spec)


def _draw(results: Results, choice: Choice) -> Drawn | None:
    task = choice["task"]
    gradients = results.find(task=task, shows="gradient")
    training = results.find(task=task, shows="training")
    if gradients is None or training is None:
        return None
    first = _estimates(gradients) if task == "influence" else _bias(task, gradients)
    return Drawn(figures=(first, _training(task, training)), finding=_finding(task, gradients))


def _windows(stored: Stored) -> dict[int, dict[str, Any]]:
    return {row["spec"]["window"]: row for row in stored.estimators[1:]}


def _value(row: dict[str, Any]) -> float:
    return number(row["gradient"]["drive"])


def _estimates(stored: Stored) -> Chart:
    """The one entry of the meta-gradient, sign and all, against the window."""
    exact, rows = number(stored.result["oracle"]["gradient"]["drive"]), _windows(stored)
    windows, values = tuple(rows), tuple(_value(row) for row in rows.values())
    return chart(
        PAGE,
        [stored],
        name="estimate",
        title="The meta-gradient against the window",
        explanation="Below zero, a step of gradient descent goes the wrong way.",
        x=axis("Window K (inner steps)", False, windows),
        y=scale("Meta-gradient", [*values, exact, 0.0], log=False).axis,
        strokes=[
            level(exact, (1, windows[-1]), "exact"),
            Stroke(
                label="truncated",
                x=windows,
                y=values,
                slot=1,
                joined=True,
                words=tuple(
                    f"K = {k}: {format_value(v)}" for k, v in zip(windows, values, strict=True)
                ),
            ),
        ],
        summary=f"The exact meta-gradient is {format_value(exact)}. Truncated to one step it is "
        f"{format_value(values[0])}; it sinks to {format_value(min(values))} at K = "
        f"{windows[values.index(min(values))]} and has the right sign from K = {_turn(rows)} on.",
        header=("Window K", "Estimate", "Exact", "Sign"),
        rows=[
            (str(k), format_value(v), format_value(exact), "right" if v > 0 else "wrong")
            for k, v in zip(windows, values, strict=True)
        ],
        records=[
            {"window": k, "estimate": v, "exact": exact}
            for k, v in zip(windows, values, strict=True)
        ],
    )


def _turn(rows: dict[int, dict[str, Any]]) -> int:
    return next(k for k, row in rows.items() if _value(row) > 0)


def _bias(task: str, stored: Stored) -> Chart:
    """Relative bias against the window; at K = T there is none, which has no place here."""
    rows = {k: number(row["bias_relative"]) for k, row in _windows(stored).items()}
    shown = {k: bias for k, bias in rows.items() if bias > 1e-9}
    horizon = _problem(task)["inner"]["steps"]
    return chart(
        PAGE,
        [stored],
        name="bias",
        title="Relative bias against the window",
        explanation=f"1 is as far from the truth as the truth is long. At K = T = {horizon} the "
        "bias is zero up to rounding.",
        x=axis("Window K (inner steps)", True, [*rows]),
        y=scale("Relative bias", shown.values(), log=True).axis,
        strokes=[
            Stroke(
                label="truncated",
                x=tuple(shown),
                y=tuple(shown.values()),
                slot=1,
                joined=True,
                words=tuple(f"K = {k}: {format_value(v)}" for k, v in shown.items()),
            )
        ],
        summary="Relative bias of the truncated meta-gradient: "
        + ", ".join(f"{format_value(v)} at K = {k}" for k, v in rows.items())
        + ".",
        header=("Window K", "Relative bias", "Cosine"),
        rows=[
            (str(k), format_value(rows[k]), format_value(number(row["cosine"])))
            for k, row in _windows(stored).items()
        ],
        records=[
            {"window": k, "bias_relative": rows[k], "cosine": number(row["cosine"])}
            for k, row in _windows(stored).items()
        ],
    )


def _training(task: str, stored: Stored) -> Chart:
    labels = ["exact", *(f"K = {k}" for k in TRAINED[task])]
    curves = [run_curves(stored, place, "meta_loss") for place in range(len(labels))]
    values = [v for banded in curves for v in banded.mean if v is not None]
    seeds = curves[0].seeds
    return training_plot(
        PAGE,
        stored,
        dict(zip(labels, curves, strict=True)),
        title="Following each estimate",
        explanation="The meta-loss over the outer steps, when every step trusts the estimate."
        + (f" Bands: ± 1 standard error over {seeds} seeds." if seeds > 1 else ""),
        y=scale("Meta-loss", values, log=max(values) > 8 * min(values)).axis,
    )


def _finding(task: str, stored: Stored) -> str:
    rows = _windows(stored)
    if task == "influence":
        exact = number(stored.result["oracle"]["gradient"]["drive"])
        return (
            f"Exact: {format_value(exact)}. With K = 1 the estimate is "
            f"{format_value(_value(rows[1]))}, and a longer window makes it worse before it makes "
            f"it better: {format_value(_value(rows[20]))} at K = 20. The sign is right from "
            f"K = {_turn(rows)} on."
        )
    short, longer = rows[1], rows[10]
    return (
        f"A window of one step misses {format_value(number(short['bias_relative']), '%')} of the "
        f"meta-gradient's length (cosine {format_value(number(short['cosine']))}); one of ten, "
        f"{format_value(number(longer['bias_relative']), '%')} "
        f"(cosine {format_value(number(longer['cosine']))})."
    )


def _influence_at(results: Results, windows: tuple[int, ...]) -> tuple[float, ...]:
    rows = _windows(results.get(task="influence", shows="gradient"))
    return tuple(_value(rows[k]) for k in windows)


SKETCHED = (1, 10, 20, 30, 40, 50, 60, 80, 100)

PAGE = Page(
    slug="truncation",
    title="A short window",
    question="What happens if the window is short?",
    setting="Truncated backpropagation goes back through the last K of T inner steps and takes the "
    "rest as constant. That is cheap: memory grows with K, not with T. Here is a linear system "
    "with one meta-parameter whose near influences push one way and whose many far ones push the "
    "other. The exact meta-gradient is +24.",
    answer="The estimate is biased, and a longer window is not always a better one: it can point "
    "the wrong way until it is long enough to see what matters.",
    prediction=Sketch(
        question="The exact meta-gradient is +24 at K = T. Draw the truncated estimate for shorter "
        "windows.",
        x_title="Window K (inner steps)",
        y_title="Meta-gradient",
        x=SKETCHED,
        x_labels=tuple(str(k) for k in SKETCHED),
        ends=(-80.0, 40.0),
        ticks={-80.0: "−80", -40.0: "−40", 0.0: "0", 24.0: "24"},
        measured=lambda results: _influence_at(results, SKETCHED),
        because="The near influences push down, the far ones push up. Until the window reaches the "
        "far ones, every step added to it adds to the error.",
        figure="estimate",
    ),
    controls=(
        Control(name="task", title="Inner task", options=TASKS, default="influence"),
    ),
    cells=CELLS,
    smallest={"task": "influence", "shows": "gradient"},
    experiment=_experiment,
    draw=_draw,
    formulas=(
        Formula(
            latex=r"\hat g = \sum_{t=T-K}^{T-1} \left(\frac{\partial \Phi_t}{\partial \theta}"
            r"\right)^{\top} \lambda_{t+1}",
            words="Only the last K terms of the sum are kept; the exact meta-gradient has all T.",
        ),
        Formula(
            latex=r"s_{t+1} = A s_t + \theta \cdot \text{signs}, \qquad "
            r"F = \tfrac{1}{2} (s_T[0] - 1)^2",
            words="Influence balancing: what enters at place i reaches s[0] only after i steps.",
        ),
    ),
    reported=(
        Reported(
            claim="A truncated estimate can have the wrong sign for every window up to some length",
            source="Tallec and Ollivier, 2017, influence balancing",
            reported="truncated backpropagation diverges unless the window is long enough",
            measured=lambda r: "wrong sign below K = "
            f"{_turn(_windows(r.get(task='influence', shows='gradient')))}, right from there on",
            difference="23 units with 10 signs + and 13 −, from the steady state at θ = 0.5.",
        ),
        Reported(
            claim="A greedy learning-rate schedule falls too fast",
            source="Wu, Ren, Liao and Grosse, 2018",
            reported="short-horizon meta-optimization picks learning rates that are too small",
            measured=lambda r: _last_losses(r),
            difference="Meta-loss after 60 outer steps of a learned schedule of 100 inner steps; "
            "noise and curvatures from 0.001 to 1 are needed for the effect.",
        ),
    ),
    claims=(
        Claim(
            text="What could happen with a short window T?",
            figure="estimate",
            result=lambda r: _finding("influence", r.get(task="influence", shows="gradient")),
        ),
        Claim(
            text="Truncated backpropagation is biased toward short horizons",
            figure="bias",
            result=lambda r: _finding("quadratic", r.get(task="quadratic", shows="gradient")),
        ),
    ),
    sources=(
        Source("Tallec and Ollivier, “Unbiasing truncated backpropagation through time”, 2017",
               "https://arxiv.org/abs/1705.08209"),
        Source("Wu, Ren, Liao and Grosse, “Understanding short-horizon bias in stochastic "
               "meta-optimization”, 2018", "https://arxiv.org/abs/1803.02021"),
        Source("Shaban, Cheng, Hatch and Boots, “Truncated back-propagation for bilevel "
               "optimization”, 2019", "https://arxiv.org/abs/1810.10667"),
    ),
)  # fmt: skip


def _last_losses(results: Results) -> str:
    stored = results.get(task="quadratic", shows="training")
    ends = [format_value(run_curves(stored, place, "meta_loss").mean[-1]) for place in range(3)]
    return f"meta-loss {ends[1]} with K = 1, {ends[2]} with K = 10, {ends[0]} with the exact one"
