"""What each application claims: which figure of its preset beats which, and what to say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

START = "start"


@dataclass(frozen=True, kw_only=True)
class Application:
    """A claim: the figure `metric` after the last outer step beats `against`."""

    slug: str
    metric: str
    better: Literal["lower", "higher"]
    against: str = START
    """`start`: the same figure at the first outer step; else another series of the same run."""
    without: str
    """What not meta-learning means here, in words."""
    comment: str = ""
    """What there is to say about the result: where it does not hold, why."""


APPLICATIONS: dict[str, list[Application]] = {
    "Initial parameters": [
        Application(
            slug="sinusoids",
            metric="test_loss",
            better="lower",
            without="the random start",
        ),
        Application(
            slug="few-shot",
            metric="test_accuracy",
            better="higher",
            without="the random start",
        ),
        Application(
            slug="few-shot-implicit",
            metric="test_accuracy",
            better="higher",
            without="the random start",
        ),
        Application(
            slug="meta-sgd",
            metric="test_accuracy",
            better="higher",
            without="the random start",
        ),
        Application(
            slug="maml-glyphs",
            metric="test_accuracy",
            better="higher",
            without="the random start",
            comment=(
                "The budget of 15 minutes ended the run 933 outer steps before its 14,000: "
                "another program had a share of the core for the first two of them."
            ),
        ),
    ],
    "Learners without gradient steps": [
        Application(
            slug="prototypical-glyphs",
            metric="test_accuracy",
            better="higher",
            without="the random network",
        ),
        Application(
            slug="prototypes",
            metric="test_accuracy",
            better="higher",
            without="the random network",
        ),
        Application(
            slug="convex-heads",
            metric="test_accuracy",
            better="higher",
            without="the random network",
        ),
        Application(
            slug="black-boxes",
            metric="test_accuracy",
            better="higher",
            without="the random network",
        ),
    ],
    "Learned optimizers": [
        Application(
            slug="learned-schedule",
            metric="meta_loss",
            better="lower",
            without="the first schedule",
        ),
        Application(
            slug="learned-optimizer",
            metric="test_loss",
            better="lower",
            against="test_loss_adam",
            without="tuned Adam",
        ),
        Application(
            slug="recurrent-optimizer",
            metric="test_loss",
            better="lower",
            against="test_loss_adam",
            without="tuned Adam",
        ),
        Application(
            slug="learned-adam",
            metric="test_loss",
            better="lower",
            against="test_loss_adam",
            without="tuned Adam",
        ),
    ],
    "Hyper-parameters": [
        Application(
            slug="a-penalty-for-every-weight",
            metric="test_loss",
            better="lower",
            without="one small penalty",
        ),
        Application(
            slug="language-model-by-searches",
            metric="test_loss",
            better="lower",
            without="the first θ",
        ),
        Application(
            slug="language-model-by-gradients",
            metric="test_loss",
            better="lower",
            without="the first θ",
            comment=(
                "Three minutes are too few: two of the three gain less than their standard "
                "error. With the whole budget of the searches, and the best θ kept instead of "
                "the last, all gain by four: see the table below."
            ),
        ),
        Application(
            slug="weight-decays-by-implicit-or-unrolled",
            metric="test_loss",
            better="lower",
            without="one small weight decay",
        ),
        Application(
            slug="transformer",
            metric="test_loss",
            better="lower",
            without="the first step sizes",
        ),
    ],
    "Evolution": [
        Application(
            slug="elites",
            metric="test_loss",
            better="lower",
            without="the first step size",
        ),
        Application(
            slug="evolution-on-initial-parameters",
            metric="test_loss",
            better="lower",
            without="the random start",
            comment=(
                "Evolution beats the random start and stays far behind the exact gradient: its "
                "variance grows with dim θ. Relative to the squared gradient it is 102, 385 and "
                "767 with 16 particles at 650, 2,410 and 7,210 weights (cosine 0.24, 0.12, 0.07), "
                "and 5.4, 19 and 44 with 256, at 256 times the inner steps of the unroll."
            ),
        ),
    ],
    "Data": [
        Application(
            slug="distilled-digits",
            metric="test_accuracy",
            better="higher",
            without="where the images start",
        ),
        Application(
            slug="distilled-garments",
            metric="test_accuracy",
            better="higher",
            without="random real images",
        ),
        Application(
            slug="condensed-garments",
            metric="test_accuracy",
            better="higher",
            against="test_accuracy_real",
            without="random real images",
        ),
    ],
    "Losses": [
        Application(
            slug="wrong-labels",
            metric="test_accuracy",
            better="higher",
            without="equal weights",
        ),
        Application(
            slug="learned-loss",
            metric="test_accuracy",
            better="higher",
            without="cross-entropy",
        ),
    ],
    "Architectures": [
        Application(
            slug="differentiable-cell",
            metric="test_accuracy",
            better="higher",
            against="test_accuracy_random",
            without="random cells",
            comment=(
                "Backpropagation through the whole inner loop does not beat random cells by "
                "more than its standard error: one seed of three ends below them. It is the "
                "search that fails there, not the cutting out: that seed's meta-loss stays at "
                "1.42 where the two that see the last step alone reach 1.32, and its mixed "
                "cell, tested before anything is cut, has 44 %."
            ),
        ),
        Application(
            slug="controller",
            metric="test_accuracy",
            better="higher",
            without="the first policy",
        ),
    ],
    "Augmentation": [
        Application(
            slug="augmentation-network",
            metric="test_accuracy",
            better="higher",
            without="no augmentation",
            comment=(
                "The lecture's order is none 92.6 %, identity 94.1, three Neumann terms 94.6, "
                "three unrolled steps 94.7. Here all three beat none by about two standard "
                "errors or more, and their order does not show: the published steps between "
                "them are 0.1 to 0.5 points, and the test set is 300 images, each of which is "
                "0.33 points."
            ),
        ),
        Application(
            slug="augmentation-magnitudes",
            metric="test_accuracy",
            better="higher",
            without="hardly any augmentation",
        ),
    ],
}
"""By the heading that they stand under."""
