"""Direct backpropagation through black-box, optimisation-based and non-parametric learners."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import fmean
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
from webapp.gallery.results import Results, Stored, last_values

WAYS = 5
"""Letters in an episode, one image of each."""
LEARNERS: Mapping[str, str] = {
    "LSTM": "black box",
    "SNAIL": "black box",
    "MAML": "optimisation-based",
    "prototypes": "non-parametric",
    "ridge": "non-parametric",
}
"""Each with its kind."""
KINDS = {
    "all": "all",
    "black-box": "black box",
    "optimisation": "optimisation-based",
    "metric": "non-parametric",
}
OUTER_STEPS = 200


def _learner(name: str) -> dict[str, Any]:
    """Inner task, inner loop and meta-parameters of a learner."""
    images = {
        "dataset": "dejavu", "ways": WAYS, "shots": 1, "queries": 5, "image_size": 14,
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
        return {"inner_task": task, "inner": {"steps": WAYS}, **network}
    head = {"prototypes": "prototypical", "ridge": "ridge"}[name]
    task = {"kind": "few_shot_metric", "head": head, **images}
    return {"inner_task": task, "inner": {"steps": 1}, **network}


def _spec(name: str) -> dict[str, Any]:
    return {
        "name": f"{name}, {WAYS}-way 1-shot",
        **_learner(name),
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
            key={"learner": name},
            spec=_spec(name),
            series=("test_accuracy",),
        )
        for name in LEARNERS
    ),
    Cell(
        key={"shows": "one estimate"},
        spec={
            **_spec("prototypes"),
            "outer": {"steps": 1, "inner_seed": "fresh"},
            "probes": {"every": 1, "oracle": False},
            "seeds": [0],
        },
    ),
)
"""The last one is what a test computes again in a second."""


def _experiment(choice: Choice) -> dict[str, Any]:
    """The first learner of the kind that is shown; of all, that of prototypes."""
    shown = _shown(choice)
    return _spec("prototypes" if len(shown) == len(LEARNERS) else shown[0])


def _shown(choice: Choice) -> list[str]:
    kind = KINDS[choice["kind"]]
    return [name for name, own in LEARNERS.items() if kind in ("all", own)]


def _draw(results: Results, choice: Choice) -> Drawn:
    shown = _shown(choice)
    cells = {name: results.get(learner=name) for name in shown}
    return Drawn(figures=(_courses(cells), _memory(cells)), finding=_finding(results, shown))


def _courses(cells: Mapping[str, Stored]) -> Chart:
    return line_plot(
        PAGE,
        [*cells.values()],
        {
            f"{name} ({LEARNERS[name]})": run_curves(stored, 0, "test_accuracy")
            for name, stored in cells.items()
        },
        name="course",
        title="Test accuracy on an alphabet that none has seen",
        explanation=f"{WAYS} letters with one image each, five queries of each; guessing gives "
        f"{format_value(1 / WAYS, '%')}. Four episodes for every outer step.",
        x_title="Outer step",
        y_title="Test accuracy",
        unit="%",
        slots={f"{name} ({kind})": place for place, (name, kind) in enumerate(LEARNERS.items())},
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
        slots={name: place for place, name in enumerate(LEARNERS)},
    )


def _bytes(stored: Stored) -> list[float]:
    return last_values(stored, 0, "peak_bytes")


def _accuracy(results: Results, name: str) -> tuple[float, float]:
    return mean_and_error(last_values(results.get(learner=name), 0, "test_accuracy"))


def _finding(results: Results, shown: Iterable[str] = LEARNERS) -> str:
    reached = ", ".join(
        f"{name} {format_with_error(*_accuracy(results, name), '%')}" for name in shown
    )
    return f"Test accuracy after {OUTER_STEPS} outer steps: {reached}."


def _right(results: Results) -> int:
    best = max(LEARNERS, key=lambda name: _accuracy(results, name)[0])
    return list(KINDS.values()).index(LEARNERS[best]) - 1


def _graph(results: Results) -> str:
    of = {name: fmean(_bytes(results.get(learner=name))) for name in LEARNERS}
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
        Control(
            name="kind",
            title="Learners",
            options={value: kind.capitalize() for value, kind in KINDS.items()},
            default="all",
        ),
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
            claim="Accuracy on Omniglot, 5-way 1-shot, of an implicit MAML",
            source="Rajeswaran, Finn, Kakade and Levine, 2019",
            reported="99.5 %",
            measured=lambda r: "5-way 1-shot, MAML "
            f"{format_with_error(*_accuracy(r, 'MAML'), '%')}, prototypes "
            f"{format_with_error(*_accuracy(r, 'prototypes'), '%')}",
            difference="Letters of six alphabets in the DejaVu faces instead of 50 alphabets drawn "
            "by hand, 14 × 14 pixels, a quarter of the filters, 800 episodes: seconds instead of "
            "hours. The glyphs of docs/applications.md are nearer to it, at 94 %.",
        ),
    ),
    claims=(
        Claim(
            text="Direct backpropagation: black-box, optimisation-based, non-parametric learners",
            figure="course",
            result=_finding,
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
