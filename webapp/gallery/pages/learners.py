"""Direct backpropagation through black-box, optimisation-based and non-parametric learners."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webapp.exports.charts import Chart
from webapp.exports.numbers import format_value, format_with_error
from webapp.gallery.charts import run_curves
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
from webapp.gallery.results import Results, Stored, last_values, mean

WAYS = {"3": "3 letters", "5": "5 letters"}
LEARNERS: Mapping[str, str] = {
    "LSTM": "black box",
    "SNAIL": "black box",
    "MAML": "optimisation-based",
    "prototypes": "non-parametric",
    "ridge": "non-parametric",
}
"""Each with its kind."""
OUTER_STEPS = 200


def _learner(name: str, ways: int) -> dict[str, Any]:
    """Inner task, inner loop and meta-parameters of a learner."""
    images = {
        "dataset": "dejavu", "ways": ways, "shots": 1, "queries": 5, "image_size": 14,
        "filters": 16, "pooling": "stride", "test_episodes": 100,
    }  # fmt: skip
    if name == "MAML":
        return {
            "inner_task": {"kind": "few_shot", **images},
            "inner": {"steps": 3, "optimizer": {"kind": "sgd", "learning_rate": 0.2}},
            "meta_parameters": [{"kind": "initialisation"}],
        }
    network = {"meta_parameters": [{"kind": "network"}]}
    if name in ("LSTM", "SNAIL"):
        task = {"kind": "few_shot_black_box", "reader": name.lower(), "units": 32, **images}
        return {"inner_task": task, "inner": {"steps": ways}, **network}
    head = {"prototypes": "prototypical", "ridge": "ridge"}[name]
    task = {"kind": "few_shot_metric", "head": head, **images}
    return {"inner_task": task, "inner": {"steps": 1}, **network}


def _spec(name: str, ways: str) -> dict[str, Any]:
    return {
        "name": f"{name}, {ways}-way 1-shot",
        **_learner(name, int(ways)),
        "estimators": [{"kind": "unrolled", "storage": "full"}],
        "outer": {
            "steps": OUTER_STEPS, "meta_batch": 4, "inner_seed": "fresh", "together": "all",
            "optimizer": {"kind": "adam", "learning_rate": 0.003},
        },
        "probes": {"every": 25, "oracle": False},
        "seeds": [0, 1, 2],
    }  # fmt: skip


CELLS = (
    *(
        Cell(
            key={"ways": ways, "learner": name},
            spec=_spec(name, ways),
            series=("test_accuracy",),
        )
        for ways in WAYS
        for name in LEARNERS
    ),
    Cell(
        key={"shows": "one estimate"},
        spec={
            **_spec("prototypes", "3"),
            "outer": {"steps": 1, "inner_seed": "fresh"},
            "probes": {"every": 1, "oracle": False},
            "seeds": [0],
        },
    ),
)
"""The last one is what a test computes again in a second."""


def _experiment(choice: Choice) -> dict[str, Any]:
    return _spec("prototypes", choice["ways"])


def _draw(results: Results, choice: Choice) -> Drawn:
    ways = choice["ways"]
    cells = {name: results.get(ways=ways, learner=name) for name in LEARNERS}
    return Drawn(figures=(_courses(cells, ways), _memory(cells)), finding=_finding(results, ways))


def _courses(cells: Mapping[str, Stored], ways: str) -> Chart:
    return line_plot(
        PAGE,
        [*cells.values()],
        {
            f"{name} ({LEARNERS[name]})": run_curves(stored, 0, "test_accuracy")
            for name, stored in cells.items()
        },
        name="course",
        title="Test accuracy on an alphabet that none has seen",
        explanation=f"{ways} letters with one image each, five queries of each; guessing gives "
        f"{format_value(1 / int(ways), '%')}. Four episodes for every outer step.",
        x_title="Outer step",
        y_title="Test accuracy",
        unit="%",
    )


def _memory(cells: Mapping[str, Stored]) -> Chart:
    return method_plot(
        PAGE,
        [*cells.values()],
        {name: _bytes(stored) for name, stored in cells.items()},
        name="memory",
        title="Memory of the graph",
        explanation="Peak bytes of one meta-gradient of one episode. MAML keeps three inner steps, "
        "each with its backward pass; the others keep one pass through their network.",
        y_title="Peak memory",
        unit="B",
    )


def _bytes(stored: Stored) -> list[float]:
    return last_values(stored, 0, "peak_bytes")


def _accuracy(results: Results, ways: str, name: str) -> tuple[float, float]:
    return mean_and_error(last_values(results.get(ways=ways, learner=name), 0, "test_accuracy"))


def _finding(results: Results, ways: str) -> str:
    reached = ", ".join(
        f"{name} {format_with_error(*_accuracy(results, ways, name), '%')}" for name in LEARNERS
    )
    return f"Test accuracy after {OUTER_STEPS} outer steps: {reached}."


KINDS = ("black box", "optimisation-based", "non-parametric")


def _right(results: Results) -> int:
    best = max(LEARNERS, key=lambda name: _accuracy(results, "5", name)[0])
    return KINDS.index(LEARNERS[best])


def _graph(results: Results) -> str:
    of = {name: mean(_bytes(results.get(ways="5", learner=name))) for name in LEARNERS}
    times = of["MAML"] / of["prototypes"]
    return (
        f"MAML {format_value(of['MAML'], 'B')}, prototypes {format_value(of['prototypes'], 'B')}, "
        f"LSTM {format_value(of['LSTM'], 'B')}: {format_value(times)} times as much for three "
        "inner steps as for one mean"
    )


PAGE = Page(
    slug="learners",
    title="Three kinds of learners",
    question="What does direct backpropagation go through?",
    setting="A learner sees one image of each of a few letters and has to name others of them. A "
    "black box reads the images one after the other into its memory; an optimisation-based learner "
    "takes gradient steps from learned initial parameters; a non-parametric one compares features. "
    "All three are differentiable from end to end, so that the same backpropagation learns them "
    "all. The backbone, the letters and the number of episodes are the same.",
    answer="Through whatever the learner does. The more of learning is built into the learner, the "
    "fewer episodes it takes to learn the rest, and gradient steps inside cost the most memory.",
    prediction=Pick(
        question=f"After {OUTER_STEPS} outer steps of four episodes each: which learner names five "
        "new letters best?",
        options=(
            "the black box (LSTM, SNAIL)",
            "the optimisation-based one (MAML)",
            "the non-parametric one (prototypes, ridge)",
        ),
        right=_right,
        because="Gradient descent and averaging learn something from any features, even from "
        "random ones. A black box has to learn to learn from nothing.",
    ),
    controls=(
        Control(name="ways", title="In an episode", options=WAYS, default="5"),
    ),
    cells=CELLS,
    smallest={"shows": "one estimate"},
    experiment=_experiment,
    draw=_draw,
    formulas=(
        Formula(
            latex=r"h_{t+1} = \text{LSTM}_{\theta}(h_t, x_t, y_t)",
            words="Black box: the inner loop is a recurrent network that reads.",
        ),
        Formula(
            latex=r"w_0 = \theta, \qquad w_{t+1} = w_t - \alpha \nabla L(w_t)",
            words="Optimisation-based: the inner loop is gradient descent.",
        ),
        Formula(
            latex=r"c_k = \frac{1}{n} \sum_{i:\, y_i = k} f_{\theta}(x_i), \qquad "
            r"p(y = k \mid x) \propto e^{-{\lVert f_{\theta}(x) - c_k \rVert}^2}",
            words="Non-parametric: the inner loop is a mean.",
        ),
    ),
    reported=(
        Reported(
            claim="Accuracy on Omniglot, 20-way 1-shot, with an implicit gradient of MAML",
            source="Rajeswaran, Finn, Kakade and Levine, 2019",
            reported="96.2 %",
            measured=lambda r: "5-way 1-shot, MAML "
            f"{format_with_error(*_accuracy(r, '5', 'MAML'), '%')}, prototypes "
            f"{format_with_error(*_accuracy(r, '5', 'prototypes'), '%')}",
            difference="Letters of six alphabets in the DejaVu faces instead of 50 alphabets drawn "
            "by hand, 14 × 14 pixels, a quarter of the filters, 800 episodes: seconds instead of "
            "hours. The glyphs of docs/applications.md are nearer to it, at 94 %.",
        ),
    ),
    claims=(
        Claim(
            text="Direct backpropagation: black-box, optimisation-based, non-parametric learners",
            figure="course",
            result=lambda r: _finding(r, "5"),
        ),
        Claim(
            text="Direct backpropagation needs the graph of the whole inner loop",
            figure="memory",
            result=_graph,
        ),
    ),
    sources=(
        Source("Finn, Abbeel and Levine, “Model-agnostic meta-learning for fast adaptation of deep "
               "networks”, 2017", "https://arxiv.org/abs/1703.03400"),
        Source("Snell, Swersky and Zemel, “Prototypical networks for few-shot learning”, 2017",
               "https://arxiv.org/abs/1703.05175"),
        Source("Mishra, Rohaninejad, Chen and Abbeel, “A simple neural attentive meta-learner”, "
               "2018", "https://arxiv.org/abs/1707.03141"),
        Source("Bertinetto, Henriques, Torr and Vedaldi, “Meta-learning with differentiable "
               "closed-form solvers”, 2019", "https://arxiv.org/abs/1805.08136"),
    ),
)  # fmt: skip
