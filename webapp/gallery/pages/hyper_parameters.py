"""Hyper-parameter optimisation: searches and gradients, with two numbers and with hundreds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean
from typing import Any

from webapp.exports.charts import Chart
from webapp.exports.numbers import format_value, format_with_error
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
from webapp.gallery.plots import line_plot, mean_and_error, method_plot
from webapp.gallery.results import Results, Stored

NUMBERS = {"few": "2: one a tensor", "many": "650: one a weight"}
INNER_STEPS = 100
BOX = {"low": -9.0, "high": 0.0}
"""Logarithms of the weight decays between which a search looks."""
METHODS: Mapping[str, dict[str, Any]] = {
    "grid": {"kind": "grid", "population": 12, "points": 7, "chunk": 13, **BOX},
    "random": {"kind": "random", "population": 12, "chunk": 13, **BOX},
    "Bayesian": {"kind": "bayesian", "population": 12, "chunk": 13, **BOX},
    "PBT": {"kind": "population_based", "population": 12, "interval": 20, "sigma": 1.0,
            "chunk": 12},
    "STN": {"kind": "self_tuning", "window": 10, "sigma": 0.3},
    "truncated": {"kind": "truncated", "mode": "last_k", "window": 10},
    "implicit": {"kind": "implicit", "solver": "neumann", "iterations": 20, "step_size": 0.3},
}  # fmt: skip
SLOTS = {"implicit": 0, "truncated": 1, "random": 2, "PBT": 3, "Bayesian": 4, "STN": 5, "grid": 6}
"""Each method's colour."""
OUTER_STEPS = {"PBT": 25, "STN": 300, "truncated": 60, "implicit": 60}
"""So that each takes about 6,000 inner steps; searches make five generations."""
PROBE_EVERY = {"PBT": 5, "STN": 30, "truncated": 6, "implicit": 6}
OFFERED = {"few": tuple(METHODS), "many": ("random", "PBT", "truncated", "implicit")}
"""A grid has no end with 650 numbers; the models of the two others are refused beyond 100."""


def _spec(numbers: str, method: str) -> dict[str, Any]:
    return {
        "name": f"Weight decay by {method}, {NUMBERS[numbers]}",
        "inner_task": {
            "kind": "image_mlp", "dataset": "digits", "hidden": [], "batch_size": None,
            "train_examples": 50,
        },
        "inner": {"steps": INNER_STEPS, "optimizer": {"kind": "sgd", "learning_rate": 0.3}},
        "meta_parameters": [
            {
                "kind": "weight_decay", "initial": 0.1, "scale": "log",
                "granularity": "per_tensor" if numbers == "few" else "per_parameter",
            }
        ],
        "estimators": [METHODS[method]],
        "outer": {
            "steps": OUTER_STEPS.get(method, 5),
            "optimizer": {"kind": "adam", "learning_rate": 0.1, "schedule": "cosine"},
        },
        "probes": {"every": PROBE_EVERY.get(method, 1), "oracle": False, "memory": False},
        "seeds": [0, 1, 2, 3, 4],
    }  # fmt: skip


CELLS = tuple(
    Cell(
        key={"numbers": numbers, "method": method},
        spec=_spec(numbers, method),
        series=("meta_loss", "test_loss", "test_accuracy"),
        points=400,
    )
    for numbers, methods in OFFERED.items()
    for method in methods
)


def _experiment(choice: Choice) -> dict[str, Any]:
    return _spec(choice["numbers"], "implicit")


def _draw(results: Results, choice: Choice) -> Drawn:
    numbers = choice["numbers"]
    cells = {m: results.get(numbers=numbers, method=m) for m in OFFERED[numbers]}
    return Drawn(
        figures=(_ends(cells), _courses(cells)),
        finding=_finding(results, numbers),
    )


def _at_probes(run: Mapping[str, Any]) -> list[tuple[float, float, float]]:
    """Inner steps taken, validation loss and test loss, wherever the test loss was measured."""
    loss = dict(zip(*run["series"]["meta_loss"], strict=True))
    steps, tests = run["series"]["test_loss"]
    each = float(run["last"]["inner_steps"]) / (steps[-1] + 1)
    return [
        (each * (step + 1), float(loss[step]), float(test))
        for step, test in zip(steps, tests, strict=True)
    ]


def _chosen(stored: Stored, method: str) -> list[float]:
    """Of every seed the test loss of the θ with the lowest validation loss; of a self-tuning
    network, which never trains a whole learner with one θ, that of the last."""
    found = []
    for run in stored.runs:
        points = [point for point in _at_probes(run) if math.isfinite(point[1])]
        found.append((points[-1] if method == "STN" else min(points, key=lambda p: p[1]))[2])
    return found


def _first(cells: Mapping[str, Stored]) -> float:
    """With the weight decay that all begin with."""
    return fmean([_at_probes(run)[0][2] for run in cells["implicit"].runs])


def _ends(cells: Mapping[str, Stored]) -> Chart:
    return method_plot(
        PAGE,
        [*cells.values()],
        {method: _chosen(stored, method) for method, stored in cells.items()},
        name="ends",
        title="Test loss after 6,000 inner steps each",
        explanation="On 300 digits that neither loop sees, with the weight decay of the lowest "
        "validation loss.",
        y_title="Test loss",
        reference=("the first weight decay", _first(cells)),
        slots=SLOTS,
    )


def _course(stored: Stored) -> Banded:
    """The test loss so far of the θ that the validation loss prefers, against the inner steps."""
    curves = []
    for run in stored.runs:
        best = (math.inf, math.nan)
        heights = []
        points = _at_probes(run)
        for _, loss, test in points:
            best = min(best, (loss, test)) if math.isfinite(loss) else best
            heights.append(best[1])
        curves.append(([steps for steps, _, _ in points], heights))
    return over_seeds(curves)


def _courses(cells: Mapping[str, Stored]) -> Chart:
    shown = [method for method in cells if method not in ("PBT", "STN")]
    return line_plot(
        PAGE,
        [cells[method] for method in shown],
        {method: _course(cells[method]) for method in shown},
        name="course",
        title="Test loss against the inner steps spent",
        explanation="A search spends twelve trainings before it knows anything; a gradient moves "
        "after the first. Methods that change θ during training have no curve of this kind.",
        x_title="Inner steps",
        y_title="Test loss",
        slots=SLOTS,
    )


def _score(results: Results, numbers: str, method: str) -> tuple[float, float]:
    return mean_and_error(_chosen(results.get(numbers=numbers, method=method), method))


def _words(results: Results, numbers: str) -> str:
    return ", ".join(
        f"{method} {format_with_error(*_score(results, numbers, method))}"
        for method in OFFERED[numbers]
    )


def _finding(results: Results, numbers: str) -> str:
    first = _first({"implicit": results.get(numbers=numbers, method="implicit")})
    return f"Test loss from {format_value(first)}: {_words(results, numbers)}."


CHOICES = ("random", "PBT", "implicit")


def _right(results: Results) -> int:
    scores = {method: _score(results, "many", method) for method in CHOICES}
    best = min(scores, key=lambda method: scores[method][0])
    worst = max(score for score, _ in scores.values())
    return 3 if worst - scores[best][0] < 0.02 else CHOICES.index(best)


PAGE = Page(
    slug="hyper-parameters",
    title="Hyper-parameter optimisation",
    question="Grid, random, Bayesian, population or gradient?",
    setting="A linear classifier learns from 50 digits, with a weight decay that is ten times too "
    "strong. It is tuned on 500 other digits: two numbers, one for the weights and one for the "
    "biases, or 650, one for every weight. Every method may spend 6,000 inner steps, which is 60 "
    "trainings, and is judged on 300 digits that none of them has seen.",
    answer="With two numbers any search finds them, and a gradient has nothing to add. With "
    "hundreds only a gradient gets anywhere, and they say what two numbers cannot.",
    prediction=Pick(
        question="650 weight decays, 60 trainings for everyone. Which method reaches the lowest "
        "test loss?",
        options=(
            "random search",
            "population-based training",
            "implicit differentiation",
            "all about the same",
        ),
        right=_right,
        because="Sixty random points in 650 dimensions say next to nothing. A gradient says for "
        "every one of them which way to go, whatever their number.",
    ),
    controls=(
        Control(name="numbers", title="Weight decays", options=NUMBERS, default="many"),
    ),
    cells=CELLS,
    smallest={"numbers": "many", "method": "random"},
    experiment=_experiment,
    draw=_draw,
    formulas=(
        Formula(
            latex=r"w^{\ast}(\lambda) = \operatorname{argmin}_w\; L(w) "
            r"+ \tfrac{1}{2} \sum_j \lambda_j w_j^2",
            words="The validation loss F of what training ends in is a function of the weight "
            "decays.",
        ),
        Formula(
            latex=r"\frac{dF}{d\lambda_j} = - w_j \left[ H^{-1} \frac{\partial F}{\partial w} "
            r"\right]_j",
            words="One linear solve gives the derivative for all of them at once.",
        ),
        Formula(
            latex=r"\hat w(\lambda + \varepsilon) = w + U \varepsilon",
            words="A self-tuning network learns this response U while it trains: a column for "
            "every hyper-parameter.",
        ),
    ),
    reported=(
        Reported(
            claim="Test perplexity of an LSTM: grid, random, Bayesian, STN, none, implicit, "
            "implicit with many",
            source="Lorraine, Vicol and Duvenaud, 2020, the lecture's table",
            reported="94.58; 81.46; 69.29; 67.68; 71.91; 66.40; 66.14",
            measured=lambda r: f"test loss, few: {_words(r, 'few')}; many: {_words(r, 'many')}",
            difference="A classifier of digits, as an LSTM of that size is no matter of minutes; "
            "at small size docs/applications.md has it. What is the same: hundreds of numbers by "
            "implicit differentiation reach what a few cannot. What is not: our two numbers are "
            "found by every search, as there are only two.",
        ),
    ),
    claims=(
        Claim(
            text="Hyper-parameter optimisation: searches are enough for a few numbers",
            figure="ends",
            result=lambda r: _finding(r, "few"),
        ),
        Claim(
            text="Hyper-parameter optimisation with implicit differentiation: as many "
            "hyper-parameters as weights",
            figure="ends",
            result=lambda r: _finding(r, "many"),
        ),
    ),
    sources=(
        Source("Lorraine, Vicol and Duvenaud, “Optimizing millions of hyperparameters by implicit "
               "differentiation”, 2020", "https://arxiv.org/abs/1911.02590"),
        Source("Bergstra, Bardenet, Bengio and Kégl, “Algorithms for hyper-parameter "
               "optimization”, 2011"),
        Source("Jaderberg and others, “Population based training of neural networks”, 2017",
               "https://arxiv.org/abs/1711.09846"),
        Source("MacKay, Vicol, Lorraine, Duvenaud and Grosse, “Self-tuning networks”, 2019",
               "https://arxiv.org/abs/1903.03088"),
    ),
)  # fmt: skip
