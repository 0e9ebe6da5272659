"""Learned optimizers: an update rule as a small network, and what trains it."""

from __future__ import annotations

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
    GalleryPicture,
    Page,
    Pick,
    Reported,
    Source,
)
from webapp.gallery.plots import last_picture, line_plot, mean_and_error, method_plot
from webapp.gallery.results import Results, Stored, last_values

RULES = {"network": "Network, 314 weights", "lstm": "LSTM, 361 weights"}
ESTIMATORS: dict[str, dict[str, dict[str, Any]]] = {
    "network": {
        "persistent evolution": {
            "kind": "evolution", "mode": "pes", "window": 10, "particles": 32, "sigma": 0.1,
        },
        "unrolled": {"kind": "unrolled", "storage": "full"},
    },
    "lstm": {
        "slices of 20": {"kind": "truncated", "mode": "windows", "window": 20, "online": True},
    },
}  # fmt: skip
INNER_STEPS = 40
OUTER_STEPS = 100


def _problem(rule: str) -> dict[str, Any]:
    network = rule == "network"
    return {
        "inner_task": {
            "kind": "task_family", "family": "softmax_regression", "augmentation": 3.0,
        },
        "inner": {"steps": INNER_STEPS},
        "meta_parameters": [
            {"kind": "mlp_optimizer", "hidden": 8, "transfer": "mlp"}
            if network
            else {"kind": "lstm_optimizer", "hidden": 8, "layers": 1}
        ],
        "objective": "average",
        "outer": {
            "steps": OUTER_STEPS,
            "optimizer": {"kind": "adam", "learning_rate": 0.01}
            if network
            else {"kind": "adam", "learning_rate": 0.02, "schedule": "cosine"},
            "clip_norm": 1.0 if network else 0.3,
            "meta_batch": 1 if network else 2,
            "inner_seed": "fresh",
        },
        "probes": {"every": 20, "oracle": False},
    }  # fmt: skip


def _spec(rule: str, *estimators: str) -> dict[str, Any]:
    return {
        "name": f"Learned optimizer: {RULES[rule]}",
        **_problem(rule),
        "estimators": [ESTIMATORS[rule][name] for name in estimators or ESTIMATORS[rule]],
        "seeds": [0, 1, 2],
    }


FAMILY = ("test_loss", "test_loss_adam")
OTHERS = ("transfer_loss", "transfer_loss_adam")
CELLS = (
    *(
        Cell(
            key={"rule": rule, "by": name},
            spec=_spec(rule, name),
            series=(*FAMILY, *OTHERS) if rule == "network" else FAMILY,
        )
        for rule, estimators in ESTIMATORS.items()
        for name in estimators
    ),
    Cell(
        key={"rule": "network", "shows": "picture"},
        spec={
            **_spec("network", "unrolled"),
            "probes": {"every": OUTER_STEPS, "oracle": False},
            "seeds": [0],
        },
        pictures=("update",),
        points=2,
    ),
    Cell(
        key={"rule": "network", "shows": "one estimate"},
        spec={
            **_spec("network", "unrolled"),
            "meta_parameters": [{"kind": "mlp_optimizer", "hidden": 8}],
            "inner": {"steps": 5},
            "outer": {"steps": 2, "inner_seed": "fresh"},
            "probes": {"every": 2, "oracle": False},
            "seeds": [0],
        },
    ),
)
"""The last one is what a test computes again in a second or two."""


def _experiment(choice: Choice) -> dict[str, Any]:
    return _spec(choice["rule"])


def _found(results: Results, rule: str) -> dict[str, Stored]:
    return {name: results.get(rule=rule, by=name) for name in ESTIMATORS[rule]}


def _draw(results: Results, choice: Choice) -> Drawn:
    rule = choice["rule"]
    cells = _found(results, rule)
    return Drawn(
        figures=(
            _course(cells),
            *(
                [_transfer(cells), _rule(results.get(rule=rule, shows="picture"))]
                if rule == "network"
                else []
            ),
        ),
        finding=_finding(results, rule),
    )


def _course(cells: dict[str, Stored]) -> Chart:
    first = next(iter(cells.values()))
    lines = {name: run_curves(stored, 0, "test_loss") for name, stored in cells.items()}
    return line_plot(
        PAGE,
        [*cells.values()],
        {**lines, "Adam, tuned": run_curves(first, 0, "test_loss_adam")},
        name="course",
        title="Loss of a learner that the learned rule trains",
        explanation=f"Mean over {INNER_STEPS} inner steps, on tasks of the family that the rule "
        "was not trained on. Adam has the best of several learning rates, tuned on such tasks.",
        x_title="Outer step",
        y_title="Mean training loss",
        dashed=("Adam, tuned",),
    )


def _transfer(cells: dict[str, Stored]) -> Chart:
    first = next(iter(cells.values()))
    return method_plot(
        PAGE,
        [*cells.values()],
        {name: last_values(stored, 0, "transfer_loss") for name, stored in cells.items()},
        name="transfer",
        title="The same rule on tasks of another kind",
        explanation="Perceptrons instead of softmax regression, after the last outer step.",
        y_title="Mean training loss",
        reference=("Adam, tuned", fmean(last_values(first, 0, "transfer_loss_adam"))),
    )


def _rule(stored: Stored) -> GalleryPicture:
    return last_picture(
        PAGE,
        stored,
        0,
        explanation="The step that the learned rule of seed 0 takes, against the gradient that it "
        "sees.",
    )


def _score(results: Results, rule: str, name: str, series: str) -> tuple[float, float]:
    return mean_and_error(last_values(results.get(rule=rule, by=name), 0, series))


def _words(results: Results, rule: str, series: str) -> str:
    scores = ", ".join(
        f"{name} {format_with_error(*_score(results, rule, name, series))}"
        for name in ESTIMATORS[rule]
    )
    first = next(iter(ESTIMATORS[rule]))
    adam, _ = _score(results, rule, first, f"{series}_adam")
    return f"{scores}, Adam {format_value(adam)}"


def _finding(results: Results, rule: str) -> str:
    text = f"Mean loss on new tasks of the family: {_words(results, rule, 'test_loss')}"
    if rule == "network":
        return f"{text}; on tasks of another kind: {_words(results, rule, 'transfer_loss')}."
    return f"{text}."


def _right(results: Results) -> int:
    """By the better of the two ways to train the network."""

    def wins(series: str) -> bool:
        best = min(_score(results, "network", name, series)[0] for name in ESTIMATORS["network"])
        return best < _score(results, "network", "unrolled", f"{series}_adam")[0]

    return {(True, True): 0, (True, False): 1, (False, False): 2, (False, True): 3}[
        wins("test_loss"), wins("transfer_loss")
    ]


PAGE = Page(
    slug="optimizers",
    title="Learned optimizers",
    question="Can an optimizer be learned?",
    setting="A network of 314 weights sees the gradients of one parameter and says what step to "
    "take; the same network serves every parameter. It is trained on small tasks of 40 inner steps "
    "so that these learn fast, by backpropagation through all 40 or by persistent evolution, for "
    f"{OUTER_STEPS} outer steps. Then it is given tasks that it has not seen.",
    answer="Yes, for the family it was trained on, within a minute. On tasks of another kind it is "
    "no better than Adam, and mostly worse.",
    prediction=Pick(
        question=f"After {OUTER_STEPS} outer steps, what does the learned rule beat? Adam's "
        "learning rate is tuned for the tasks, and for the others too.",
        options=(
            "Adam on new tasks of the family, and on tasks of another kind",
            "Adam on new tasks of the family alone",
            "Adam on neither",
            "Adam on tasks of another kind alone",
        ),
        right=_right,
        because="Within the family the rule can learn how large the gradients are and how long "
        "training lasts, which no rule for everything knows. Elsewhere that knowledge is wrong.",
    ),
    controls=(
        Control(name="rule", title="The rule", options=RULES, default="network"),
    ),
    cells=CELLS,
    smallest={"rule": "network", "shows": "one estimate"},
    experiment=_experiment,
    draw=_draw,
    formulas=(
        Formula(
            latex=r"w_{t+1} = w_t + f_{\theta}(\nabla L(w_t), h_t), \qquad "
            r"F(\theta) = \frac{1}{T} \sum_{t=1}^{T} L(w_t)",
            words="The rule is the same for every parameter. The LSTM has a memory h of its own "
            "for each; the network sees averages of past gradients.",
        ),
        Formula(
            latex=r"\hat g = \frac{1}{\sigma^2 N} \sum_{i=1}^{N} \xi_i\, "
            r"L_i(\theta + \varepsilon_i), \qquad \xi_i = \sum_{\text{windows}} \varepsilon_i",
            words="Persistent evolution: windows as short as those of truncated backpropagation, "
            "without its bias.",
        ),
    ),
    reported=(
        Reported(
            claim="An LSTM that is trained by backpropagation learns faster than optimizers made "
            "by hand, on the kind of task it was trained on",
            source="Andrychowicz and others, 2016",
            reported="beats tuned SGD, RMSprop, Adam and Nesterov's momentum",
            measured=lambda r: _words(r, "lstm", "test_loss"),
            difference="Two layers of 20 units and hours of training there, one of 8 units and 100 "
            "outer steps here. 400 outer steps bring it to 1.09: see docs/applications.md.",
        ),
        Reported(
            claim="Persistent evolution trains an optimizer where truncated gradients go wrong",
            source="Vicol, Metz and Sohl-Dickstein, 2021",
            reported="lower loss than truncated backpropagation and truncated evolution",
            measured=lambda r: _words(r, "network", "test_loss"),
            difference="Beside the exact gradient, not a truncated one: 40 steps are short enough "
            "to be backpropagated. Of thousands of steps neither the memory nor the length of the "
            "gradient would be bearable.",
        ),
    ),
    claims=(
        Claim(
            text="Learning an optimizer: as a network for every parameter",
            figure="course",
            result=lambda r: _finding(r, "network"),
        ),
        Claim(
            text="Learning an optimizer: as a recurrent network",
            figure="course",
            result=lambda r: _finding(r, "lstm"),
        ),
        Claim(
            text="Does a learned optimizer work on other tasks?",
            figure="transfer",
            result=lambda r: _words(r, "network", "transfer_loss"),
        ),
    ),
    sources=(
        Source("Andrychowicz and others, “Learning to learn by gradient descent by gradient "
               "descent”, 2016", "https://arxiv.org/abs/1606.04474"),
        Source("Metz and others, “Tasks, stability, architecture, and compute: training more "
               "effective learned optimizers”, 2020", "https://arxiv.org/abs/2009.11243"),
        Source("Vicol, Metz and Sohl-Dickstein, “Unbiased gradient estimation in unrolled "
               "computation graphs with persistent evolution strategies”, 2021",
               "https://arxiv.org/abs/2112.13835"),
    ),
)  # fmt: skip
