"""Dataset distillation: how few images can stand for a training set."""

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

STARTS = {"real": "Real images", "noise": "Noise"}
LEARNERS = {"new": "Drawn anew", "same": "Always the same"}
STEPS = (1, 3, 10)
OUTER_STEPS = 200


def _spec(start: str, learner: str, steps: int) -> dict[str, Any]:
    new = learner == "new"
    return {
        "name": f"Ten images from {STARTS[start].lower()}, {steps} inner step{'s'[: steps > 1]}",
        "inner_task": {
            "kind": "image_mlp", "dataset": "digits", "hidden": [32], "validation_examples": 500,
        },
        "inner": {"steps": steps, "optimizer": {"kind": "sgd"}},
        "meta_parameters": [
            {"kind": "distilled_images", "start": start},
            {"kind": "learning_rate", "granularity": "per_step", "initial": 0.3, "scale": "log"},
        ],
        "estimators": [{"kind": "unrolled", "storage": "full"}],
        "outer": {
            "steps": OUTER_STEPS, "optimizer": {"kind": "adam", "learning_rate": 0.02},
            "clip_norm": 1.0, "meta_batch": 8 if new else 1,
            "inner_seed": "fresh" if new else "fixed",
        },
        "probes": {"every": 20, "oracle": False, "memory": False},
        "seeds": [0, 1, 2],
    }  # fmt: skip


CELLS = tuple(
    cell
    for start in STARTS
    for learner in LEARNERS
    for cell in (
        *(
            Cell(
                key={"start": start, "learner": learner, "steps": str(steps)},
                spec=_spec(start, learner, steps),
                series=("test_accuracy",),
            )
            for steps in STEPS
        ),
        Cell(
            key={"start": start, "learner": learner, "shows": "pictures"},
            spec={**_spec(start, learner, 10), "seeds": [0]},
            series=("test_accuracy",),
            pictures=("distilled_images",),
        ),
    )
)


def _experiment(choice: Choice) -> dict[str, Any]:
    return _spec(choice["start"], choice["learner"], 10)


def _draw(results: Results, choice: Choice) -> Drawn:
    key = {"start": choice["start"], "learner": choice["learner"]}
    cells = {steps: results.get(**key, steps=str(steps)) for steps in STEPS}
    pictured = results.get(**key, shows="pictures")
    return Drawn(
        figures=(_course(cells), _images(pictured), _ends(results, choice["start"])),
        finding=_finding(results, choice["start"], choice["learner"]),
    )


def _course(cells: dict[int, Stored]) -> Chart:
    return line_plot(
        PAGE,
        [*cells.values()],
        {
            f"{steps} inner step{'s'[: steps > 1]}": run_curves(stored, 0, "test_accuracy")
            for steps, stored in cells.items()
        },
        name="course",
        title="Test accuracy of a network that has seen ten images",
        explanation="One image of each digit, learned together with the step sizes; on 300 digits "
        "that neither loop sees.",
        x_title="Outer step",
        y_title="Test accuracy",
        unit="%",
    )


def _images(stored: Stored) -> GalleryPicture:
    return last_picture(
        PAGE,
        stored,
        0,
        explanation=f"What ten images became in {OUTER_STEPS} outer steps, of seed 0 with ten "
        "inner steps. They need not look like digits: they are made to be learned from.",
    )


def _ends(results: Results, start: str) -> Chart:
    """Both learners after one inner step and after ten."""
    shown = {
        f"{learner}, {steps} step{'s'[: steps > 1]}": results.get(
            start=start, learner=learner, steps=str(steps)
        )
        for steps in (STEPS[0], STEPS[-1])
        for learner in LEARNERS
    }
    return method_plot(
        PAGE,
        [*shown.values()],
        {label: last_values(stored, 0, "test_accuracy") for label, stored in shown.items()},
        name="ends",
        title="For new initial parameters each time, or always the same",
        explanation=f"After {OUTER_STEPS} outer steps.",
        y_title="Test accuracy",
        unit="%",
        reference=("as many random real images, ten steps", _begin(results)),
    )


def _begin(results: Results) -> float:
    """With ten random real images, before anything is learned, and the first step sizes."""
    stored = results.get(start="real", learner="new", steps="10")
    return fmean([float(run["series"]["test_accuracy"][1][0]) for run in stored.runs])


def _accuracy(results: Results, start: str, learner: str, steps: int) -> tuple[float, float]:
    stored = results.get(start=start, learner=learner, steps=str(steps))
    return mean_and_error(last_values(stored, 0, "test_accuracy"))


def _finding(results: Results, start: str, learner: str) -> str:
    by_steps = ", ".join(
        f"{format_with_error(*_accuracy(results, start, learner, steps), '%')} after {steps}"
        for steps in STEPS
    )
    return (
        f"Test accuracy by inner steps on the ten images: {by_steps}. As many random real images "
        f"give {format_value(_begin(results), '%')} after ten."
    )


SHARES = (0.3, 0.6, 0.9, 0.99)


def _nearest(results: Results) -> int:
    reached, _ = _accuracy(results, "real", "new", 10)
    return min(range(len(SHARES)), key=lambda place: abs(SHARES[place] - reached))


def _both(results: Results) -> str:
    return "; ".join(
        f"{words}: {format_with_error(*_accuracy(results, 'real', learner, 1), '%')} after one "
        f"step, {format_with_error(*_accuracy(results, 'real', learner, 10), '%')} after ten"
        for learner, words in (("same", "fixed"), ("new", "random"))
    )


PAGE = Page(
    slug="distillation",
    title="Dataset distillation",
    question="Can ten images stand for a thousand?",
    setting="The training set itself is the meta-parameter: one image of each digit, and the step "
    "sizes of one to ten steps of gradient descent on these ten images. The meta-loss is that of "
    "the trained network on real digits, and its gradient goes back through all of the training to "
    "the pixels.",
    answer="Very nearly. Images made for the purpose teach far more than real ones. If the network "
    "always begins the same way, a single step on them is enough; else it takes several.",
    prediction=Pick(
        question="Ten steps on ten learned images, from initial parameters drawn anew: how many of "
        "300 other digits does the network classify correctly?",
        options=("about 30 %", "about 60 %", "about 90 %", "about 99 %"),
        right=_nearest,
        because="An image of 64 pixels with its step size can say much more about a class than one "
        "real example of it does.",
    ),
    controls=(
        Control(name="start", title="The images begin as", options=STARTS, default="real"),
        Control(name="learner", title="Initial parameters", options=LEARNERS, default="new"),
    ),
    cells=CELLS,
    smallest={"start": "noise", "learner": "same", "steps": "1"},
    experiment=_experiment,
    draw=_draw,
    formulas=(
        Formula(
            latex=r"w_{t+1} = w_t - \alpha_t \nabla L(w_t;\, x_{\theta}, y)",
            words="The images and the step sizes are learned. Real images are in the meta-loss "
            "alone.",
        ),
        Formula(
            latex=r"\frac{dF}{dx_{\theta}} = - \sum_{t=0}^{T-1} \alpha_t "
            r"\left(\frac{\partial^2 L}{\partial w\, \partial x}(w_t)\right)^{\top} \lambda_{t+1}",
            words="λ is the adjoint of backpropagation through training.",
        ),
    ),
    reported=(
        Reported(
            claim="Distilled MNIST images, for a fixed and for random initial parameters",
            source="Wang, Zhu, Torralba and Efros, 2018, the paper's page",
            reported="fixed, 10 images: 93.8 %; random, 100 images: 79.5 ± 8.1 %",
            measured=_both,
            difference="LeNet on 28 × 28 pixels there, a perceptron on 8 × 8 here, which is an "
            "easier task; ten images, from real ones. What is the same: images for one known "
            "network need fewer steps than images for all.",
        ),
        Reported(
            claim="One image a class of Fashion-MNIST by gradient matching, beside real ones",
            source="Zhao, Mopuri and Bilen, 2021",
            reported="70.5 % against 51.4 %",
            measured=lambda r: "digits, by backpropagation through training: "
            f"{format_with_error(*_accuracy(r, 'real', 'new', 10), '%')} against "
            f"{format_value(_begin(r), '%')}",
            difference="Another method, on other data: only that learned images are worth more "
            "than real ones can be compared. The preset on condensation does it their way.",
        ),
    ),
    claims=(
        Claim(
            text="Dataset distillation: a whole training set in one image a class",
            figure="course",
            result=lambda r: _finding(r, "real", "new"),
        ),
        Claim(
            text="Distilled images for one known network, or for all",
            figure="ends",
            result=_both,
        ),
    ),
    sources=(
        Source("Wang, Zhu, Torralba and Efros, “Dataset distillation”, 2018",
               "https://arxiv.org/abs/1811.10959"),
        Source("Zhao, Mopuri and Bilen, “Dataset condensation with gradient matching”, 2021",
               "https://arxiv.org/abs/2006.05929"),
    ),
)  # fmt: skip
