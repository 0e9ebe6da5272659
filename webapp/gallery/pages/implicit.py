"""Implicit differentiation and iMAML: what the end of training knows of the way to it."""

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
    Pick,
    Reported,
    Source,
)
from webapp.gallery.plots import line_plot
from webapp.gallery.results import Results, Stored, last_values

SETTINGS = {"start": "Initial parameters (iMAML)", "decay": "Weight decay"}
HORIZONS = (5, 10, 20, 80, 320)
ITERATIONS = (1, 5, 10, 20, 50)
STEP_SIZE = 0.3
FULL, CHECKPOINT, CG, NEUMANN, IDENTITY = range(5)
"""Places of the estimators in a spec."""
LABELS = {CG: "conjugate gradients, 10", NEUMANN: "Neumann, 10 terms", IDENTITY: "identity"}


def _problem(setting: str, steps: int) -> dict[str, Any]:
    start = setting == "start"
    return {
        "name": f"Implicit differentiation: {SETTINGS[setting].lower()}, T = {steps}",
        "inner_task": {
            "kind": "image_mlp", "dataset": "digits", "hidden": [], "batch_size": None,
            "train_examples": 100,
        },
        "inner": {
            "steps": steps,
            "optimizer": {"kind": "sgd", "learning_rate": 0.2},
            **({"proximal": 0.3} if start else {}),
        },
        "meta_parameters": [
            {"kind": "initialisation"}
            if start
            else {
                "kind": "weight_decay", "granularity": "per_parameter", "initial": 0.1,
                "scale": "log",
            }
        ],
        "precision": "float64",
        "seeds": [0, 1, 2],
    }  # fmt: skip


def _estimators() -> list[dict[str, Any]]:
    return [
        {"kind": "unrolled", "storage": "full"},
        {"kind": "unrolled", "storage": "checkpoint"},
        {"kind": "implicit", "solver": "cg", "iterations": 10},
        {"kind": "implicit", "solver": "neumann", "iterations": 10, "step_size": STEP_SIZE},
        {"kind": "implicit", "solver": "identity"},
    ]


def _solvers() -> list[dict[str, Any]]:
    """Conjugate gradients with every number of iterations, then the Neumann series."""
    return [
        {"kind": "implicit", "solver": solver, "iterations": k, **more}
        for solver, more in (("cg", {}), ("neumann", {"step_size": STEP_SIZE}))
        for k in ITERATIONS
    ]


ONE_ESTIMATE = {"outer": {"steps": 1}, "probes": {"every": 1, "oracle": True}}
"""A run of a single outer step, whose last figures are those of one estimate."""
CELLS = tuple(
    cell
    for setting in SETTINGS
    for cell in (
        *(
            Cell(
                key={"setting": setting, "steps": str(steps)},
                spec={**_problem(setting, steps), "estimators": _estimators(), **ONE_ESTIMATE},
                series=(),
            )
            for steps in HORIZONS
        ),
        Cell(
            key={"setting": setting, "shows": "iterations"},
            spec={**_problem(setting, 320), "estimators": _solvers(), **ONE_ESTIMATE},
            series=(),
        ),
    )
)


def _experiment(choice: Choice) -> dict[str, Any]:
    return {
        **_problem(choice["setting"], 80),
        "estimators": _estimators(),
        "outer": {"steps": 20, "optimizer": {"kind": "adam", "learning_rate": 0.05}},
        "probes": {"every": 5, "oracle": True},
    }


def _by_horizon(results: Results, setting: str) -> dict[int, Stored]:
    return {steps: results.get(setting=setting, steps=str(steps)) for steps in HORIZONS}


def _against(cells: dict[int, Stored], estimator: int, name: str) -> Banded:
    """A figure of one estimator against the horizon, over seeds."""
    columns = [last_values(stored, estimator, name) for stored in cells.values()]
    return over_seeds([(tuple(cells), seeds) for seeds in zip(*columns, strict=True)])


def _draw(results: Results, choice: Choice) -> Drawn:
    setting = choice["setting"]
    cells = _by_horizon(results, setting)
    solved = results.get(setting=setting, shows="iterations")
    return Drawn(
        figures=(_bias(cells), _memory(cells), _iterations(solved)),
        finding=_finding(results, setting),
    )


def _bias(cells: dict[int, Stored]) -> Chart:
    return line_plot(
        PAGE,
        [*cells.values()],
        {label: _against(cells, place, "bias_relative") for place, label in LABELS.items()},
        name="bias",
        title="Relative bias against the inner steps",
        explanation="Distance to the exact meta-gradient, in its lengths. It falls until training "
        "has settled; then what is left is the linear solver's.",
        x_title="Inner steps T",
        y_title="Relative bias",
        x_log=True,
        y_log=True,
    )


def _memory(cells: dict[int, Stored]) -> Chart:
    shown = {FULL: "unrolled, whole graph", CHECKPOINT: "unrolled, checkpoints", CG: "implicit"}
    return line_plot(
        PAGE,
        [*cells.values()],
        {label: _against(cells, place, "peak_bytes") for place, label in shown.items()},
        name="memory",
        title="Memory against the inner steps",
        explanation="Peak bytes of one meta-gradient, above what was there before.",
        x_title="Inner steps T",
        y_title="Peak memory",
        unit="B",
        x_log=True,
        y_log=True,
    )


def _iterations(stored: Stored) -> Chart:
    def line(first: int) -> Banded:
        columns = [
            last_values(stored, first + place, "bias_relative") for place in range(len(ITERATIONS))
        ]
        return over_seeds([(ITERATIONS, seeds) for seeds in zip(*columns, strict=True)])

    return line_plot(
        PAGE,
        [stored],
        {"conjugate gradients": line(0), "Neumann series": line(len(ITERATIONS))},
        name="iterations",
        title="Relative bias against the products with the Hessian",
        explanation="After 320 inner steps, where training has settled.",
        x_title="Products with the Hessian",
        y_title="Relative bias",
        x_log=True,
        y_log=True,
    )


def _mean(stored: Stored, estimator: int, name: str) -> float:
    return fmean(last_values(stored, estimator, name))


def _finding(results: Results, setting: str) -> str:
    cells = _by_horizon(results, setting)
    first, last = cells[HORIZONS[0]], cells[HORIZONS[-1]]
    return (
        f"With ten steps of conjugate gradients the bias is "
        f"{format_value(_mean(first, CG, 'bias_relative'), '%')} after {HORIZONS[0]} inner steps "
        f"and {format_value(_mean(last, CG, 'bias_relative'), '%')} after {HORIZONS[-1]}. Memory "
        f"stays at {format_value(_mean(last, CG, 'peak_bytes'), 'B')}, where the whole graph grows "
        f"from {format_value(_mean(first, FULL, 'peak_bytes'), 'B')} to "
        f"{format_value(_mean(last, FULL, 'peak_bytes'), 'B')}."
    )


def _ratio(results: Results) -> float:
    """Bytes of the whole graph over those of implicit differentiation, at the longest horizon."""
    last = results.get(setting="start", steps=str(HORIZONS[-1]))
    return _mean(last, FULL, "peak_bytes") / _mean(last, CG, "peak_bytes")


def _nearest(results: Results) -> int:
    ratio = _ratio(results)
    return min(range(4), key=lambda place: max(ratio / RATIOS[place], RATIOS[place] / ratio))


RATIOS = (1, 4, 40, 400)


def _solved(results: Results) -> str:
    stored = results.get(setting="start", shows="iterations")

    def bias(first: int, iterations: int) -> str:
        return format_value(_mean(stored, first + ITERATIONS.index(iterations), "bias_relative"))

    neumann = len(ITERATIONS)
    return (
        f"relative bias {bias(0, 10)} with 10 conjugate gradients, {bias(neumann, 10)} with 10 "
        f"Neumann terms, {bias(neumann, 50)} with 50"
    )


PAGE = Page(
    slug="implicit",
    title="Implicit differentiation",
    question="Must the path of training be remembered?",
    setting="Where training has settled, its end does not depend on the way there. The implicit "
    "function theorem then gives the meta-gradient from the last state alone, for one linear solve "
    "with the Hessian. iMAML ties a learner to its initial parameters so that this holds for them "
    "too. Here a linear classifier of 100 digits takes 5 to 320 inner steps.",
    answer="No, once training has settled: memory does not grow with the inner steps, and the "
    "bias falls to that of the linear solver. Before that, the estimate answers another question.",
    prediction=Pick(
        question="Both give the same meta-gradient of the initial parameters after 320 inner "
        "steps. How many times the memory of the implicit one does backpropagation through the "
        "whole graph need?",
        options=("about as much", "4 times", "40 times", "400 times"),
        right=_nearest,
        because="The graph of every inner step is kept: memory grows in proportion to T. The "
        "implicit gradient keeps the last state and a few vectors of its size.",
    ),
    controls=(
        Control(name="setting", title="Meta-parameters", options=SETTINGS, default="start"),
    ),
    cells=CELLS,
    smallest={"setting": "start", "steps": "5"},
    experiment=_experiment,
    draw=_draw,
    formulas=(
        Formula(
            latex=r"\hat g = \frac{\partial F}{\partial \theta} "
            r"- \frac{\partial^2 L}{\partial \theta\, \partial w}\, H^{-1} "
            r"\frac{\partial F}{\partial w}, \qquad H = "
            r"\frac{\partial^2 L}{\partial w^2}(w_T, \theta)",
            words="Exact where the gradient of the inner loss L is zero. Only products with H are "
            "needed, never H itself.",
        ),
        Formula(
            latex=r"H^{-1} b \approx \alpha \sum_{j=0}^{k-1} (I - \alpha H)^j\, b",
            words="The Neumann series. Conjugate gradients find a better combination of the same "
            "products; the identity takes none.",
        ),
        Formula(
            latex=r"L(w) + \tfrac{\lambda}{2} {\lVert w - \theta \rVert}^2 \;\Rightarrow\; "
            r"\hat g = \lambda\, (H + \lambda I)^{-1} \frac{\partial F}{\partial w}",
            words="iMAML: the pull towards θ makes the end depend on the start. H is here that of "
            "the loss alone.",
        ),
    ),
    reported=(
        Reported(
            claim="iMAML needs memory that is flat in the number of inner steps, MAML's is linear",
            source="Rajeswaran, Finn, Kakade and Levine, 2019",
            reported="flat against linear",
            measured=lambda r: f"{_ratio(r):.0f} times the bytes of the implicit gradient at "
            f"T = {HORIZONS[-1]}; checkpoints need "
            + format_value(
                _mean(r.get(setting="start", steps="320"), CHECKPOINT, "peak_bytes")
                / _mean(r.get(setting="start", steps="320"), CG, "peak_bytes")
            )
            + " times",
            difference="A linear classifier instead of a convolutional network: the form of the "
            "curves is the same, the bytes are not. Checkpoints, which the paper does not have, "
            "take most of the difference away.",
        ),
        Reported(
            claim="Conjugate gradients need few products, a Neumann series more",
            source="Rajeswaran, Finn, Kakade and Levine, 2019",
            reported="in the order of √κ products instead of κ, the condition number of the "
            "Hessian",
            measured=_solved,
            difference="Convex and small, so that conjugate gradients are safe. Of a deep network "
            "the Hessian has negative curvature, where they are not: see the page on augmentation.",
        ),
    ),
    claims=(
        Claim(
            text="Implicit differentiation: memory does not depend on the number of inner steps",
            figure="memory",
            result=lambda r: _finding(r, "start"),
        ),
        Claim(
            text="The implicit gradient is right only where training has settled",
            figure="bias",
            result=lambda r: _finding(r, "decay"),
        ),
        Claim(
            text="The inverse is never formed: conjugate gradients or a Neumann series",
            figure="iterations",
            result=_solved,
        ),
    ),
    sources=(
        Source("Rajeswaran, Finn, Kakade and Levine, “Meta-learning with implicit gradients”, "
               "2019", "https://arxiv.org/abs/1909.04630"),
        Source("Lorraine, Vicol and Duvenaud, “Optimizing millions of hyperparameters by implicit "
               "differentiation”, 2020", "https://arxiv.org/abs/1911.02590"),
        Source("Luketina, Berglund, Greff and Raiko, “Scalable gradient-based tuning of continuous "
               "regularization hyperparameters”, 2016", "https://arxiv.org/abs/1511.06727"),
    ),
)  # fmt: skip
