"""Architecture search: gradients through a mixed cell, and a policy that draws networks."""

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

SEARCHES = {"cell": "A cell, by gradients", "policy": "A network, by a policy"}
ESTIMATORS: dict[str, dict[str, dict[str, Any]]] = {
    "cell": {
        "all steps": {"kind": "unrolled", "storage": "full"},
        "last step": {"kind": "truncated", "mode": "last_k", "window": 1},
        "first order": {"kind": "fomaml"},
    },
    "policy": {
        "baseline": {"kind": "reinforce", "samples": 16, "baseline": "leave_one_out"},
        "no baseline": {"kind": "reinforce", "samples": 16, "baseline": "none"},
    },
}


def _problem(search: str) -> dict[str, Any]:
    if search == "cell":
        return {
            "inner_task": {
                "kind": "cell", "dataset": "digits", "nodes": 4, "cells": 1, "channels": 6,
                "batch_size": 32, "validation_examples": 200,
            },
            "inner": {
                "steps": 20,
                "optimizer": {"kind": "momentum", "learning_rate": 0.1, "momentum": 0.9},
            },
            "meta_parameters": [{"kind": "architecture"}],
            "outer": {"steps": 20, "optimizer": {"kind": "adam", "learning_rate": 0.2}},
            "probes": {"every": 10, "oracle": False},
        }  # fmt: skip
    return {
        "inner_task": {"kind": "architecture_choice", "dataset": "digits", "batch_size": 32},
        "inner": {"steps": 20, "optimizer": {"kind": "sgd", "learning_rate": 0.1}},
        "meta_parameters": [{"kind": "controller", "units": 16}],
        "outer": {"steps": 60, "optimizer": {"kind": "adam", "learning_rate": 0.02}},
        "probes": {"every": 10, "oracle": False, "memory": False},
    }


def _spec(search: str, *estimators: str) -> dict[str, Any]:
    return {
        "name": f"Architecture search: {SEARCHES[search].lower()}",
        **_problem(search),
        "estimators": [ESTIMATORS[search][name] for name in estimators or ESTIMATORS[search]],
        "seeds": [0, 1, 2],
    }


TESTED = ("test_accuracy", "test_accuracy_random")
CELLS = (
    *(
        Cell(
            key={"search": "cell", "gradient": name},
            spec=_spec("cell", name),
            series=("meta_loss", *TESTED),
            pictures=("architecture",) if name == "last step" else (),
        )
        for name in ESTIMATORS["cell"]
    ),
    *(
        Cell(
            key={"search": "policy", "gradient": name},
            spec=_spec("policy", name),
            series=("meta_loss", *TESTED, "test_accuracy_best", "architecture_rank"),
        )
        for name in ESTIMATORS["policy"]
    ),
    Cell(
        key={"search": "policy", "shows": "picture"},
        spec={
            **_spec("policy", "baseline"),
            "probes": {"every": 60, "oracle": False, "memory": False},
            "seeds": [0],
        },
        pictures=("policy",),
        points=2,
    ),
    Cell(
        key={"search": "policy", "shows": "one step"},
        spec={**_spec("policy", "baseline"), "outer": {"steps": 2}, "seeds": [0]},
    ),
)
"""The last one is what a test computes again in a second or two."""


def _experiment(choice: Choice) -> dict[str, Any]:
    return _spec(choice["search"])


def _found(results: Results, search: str) -> dict[str, Stored]:
    return {name: results.get(search=search, gradient=name) for name in ESTIMATORS[search]}


def _draw(results: Results, choice: Choice) -> Drawn:
    search = choice["search"]
    cells = _found(results, search)
    return Drawn(
        figures=(
            _accuracies(search, cells),
            _course(search, cells),
            _picture(
                search,
                cells["last step"]
                if search == "cell"
                else results.get(search="policy", shows="picture"),
            ),
        ),
        finding=_finding(results, search),
    )


def _accuracies(search: str, cells: dict[str, Stored]) -> Chart:
    first = next(iter(cells.values()))
    methods = {"random": last_values(first, 0, "test_accuracy_random")} | {
        name: last_values(stored, 0, "test_accuracy") for name, stored in cells.items()
    }
    if search == "policy":
        methods["exhaustive"] = last_values(first, 0, "test_accuracy_best")
    return method_plot(
        PAGE,
        [*cells.values()],
        methods,
        name="accuracy",
        title={
            "cell": "Test accuracy of the cell that was found, trained from scratch",
            "policy": "Test accuracy of the network that the policy prefers",
        }[search],
        explanation={
            "cell": "Random: the mean of cells with operations drawn at random.",
            "policy": "Random: the mean of all 96 networks. Exhaustive: the one with the lowest "
            "validation loss of all 96.",
        }[search],
        y_title="Test accuracy",
        unit="%",
    )


def _course(search: str, cells: dict[str, Stored]) -> Chart:
    return line_plot(
        PAGE,
        [*cells.values()],
        {name: run_curves(stored, 0, "meta_loss") for name, stored in cells.items()},
        name="course",
        title="Meta-loss over the search",
        explanation={
            "cell": "Validation loss of the mixed cell after 20 inner steps.",
            "policy": "Share of validation errors of the networks that the policy draws.",
        }[search],
        x_title="Outer step",
        y_title="Meta-loss",
        marked=False,
    )


def _picture(search: str, stored: Stored) -> GalleryPicture:
    return last_picture(
        PAGE,
        stored,
        0,
        explanation={
            "cell": "The cell of seed 0 that the gradient of the last step found.",
            "policy": "The policy of seed 0 with a baseline, after 60 outer steps.",
        }[search],
    )


def _accuracy(results: Results, search: str, name: str) -> tuple[float, float]:
    stored = results.get(search=search, gradient=name)
    return mean_and_error(last_values(stored, 0, "test_accuracy"))


def _other(results: Results, search: str, series: str) -> float:
    name = next(iter(ESTIMATORS[search]))
    return fmean(last_values(results.get(search=search, gradient=name), 0, series))


def _finding(results: Results, search: str) -> str:
    reached = ", ".join(
        f"{name} {format_with_error(*_accuracy(results, search, name), '%')}"
        for name in ESTIMATORS[search]
    )
    text = (
        f"Test accuracy: random {format_value(_other(results, search, TESTED[1]), '%')}, {reached}"
    )
    if search == "policy":
        best = format_value(_other(results, search, "test_accuracy_best"), "%")
        return f"{text}; an exhaustive search of all 96 finds {best}."
    return f"{text}. Memory: {_memory(results)}."


def _memory(results: Results) -> str:
    of = {
        name: fmean(last_values(stored, 0, "peak_bytes"))
        for name, stored in _found(results, "cell").items()
    }
    return ", ".join(f"{name} {format_value(value, 'B')}" for name, value in of.items())


def _right(results: Results) -> int:
    """Differences below their standard errors are none."""
    whole, whole_error = _accuracy(results, "cell", "all steps")
    last, last_error = _accuracy(results, "cell", "last step")
    if abs(whole - last) < (whole_error**2 + last_error**2) ** 0.5:
        return 2
    return 0 if whole > last else 1


PAGE = Page(
    slug="architecture",
    title="Architecture search",
    question="Can a gradient find an architecture?",
    setting="Every edge of a small cell mixes five operations, and the weights of the mixture are "
    "meta-parameters: by backpropagation through all 20 inner steps, through the last one alone, "
    "or past it. In the end the strongest operations are cut out and the cell is trained from "
    "scratch. The other way needs no derivative of training: a policy draws whole networks and "
    "makes the better ones more probable.",
    answer="Yes, and it need not see far: the last inner step, or not even that, finds a cell that "
    "beats random ones, with a seventh of the memory. A policy finds the best network of all, for "
    "many more trainings.",
    prediction=Pick(
        question="Which gradient finds the better cell: the exact one through all 20 inner steps, "
        "or that of the last step alone?",
        options=(
            "the exact one",
            "the last step alone",
            "no difference beyond the seeds'",
        ),
        right=_right,
        because="What is cut out is only the strongest operation of every edge, and what decides "
        "is the network that is trained afterwards: an exact gradient of the mixture's loss is not "
        "the gradient of that.",
    ),
    controls=(
        Control(name="search", title="What is searched", options=SEARCHES, default="cell"),
    ),
    cells=CELLS,
    smallest={"search": "policy", "shows": "one step"},
    experiment=_experiment,
    draw=_draw,
    formulas=(
        Formula(
            latex=r"\text{edge}(x) = \sum_{o} "
            r"\frac{e^{\alpha_o}}{\sum_{o'} e^{\alpha_{o'}}}\, o(x)",
            words="The choice of an operation, made continuous: α is learned.",
        ),
        Formula(
            latex=r"\nabla_{\alpha} F\big(w - \xi \nabla_w L(w, \alpha), \alpha\big)",
            words="DARTS differentiates through one inner step; its first order sets ξ = 0.",
        ),
        Formula(
            latex=r"\hat g = \frac{1}{N} \sum_{i=1}^{N} (\ell_i - b)\, "
            r"\nabla_{\theta} \log \pi_{\theta}(a_i)",
            words="REINFORCE: only the policy is differentiated. The baseline b takes out what all "
            "networks have in common.",
        ),
    ),
    reported=(
        Reported(
            claim="The second order of DARTS finds better cells than its first order",
            source="Liu, Simonyan and Yang, 2019, CIFAR-10",
            reported="test error 2.76 ± 0.09 % against 3.00 ± 0.14 %",
            measured=lambda r: "last step "
            f"{format_with_error(*_accuracy(r, 'cell', 'last step'), '%')}, first order "
            f"{format_with_error(*_accuracy(r, 'cell', 'first order'), '%')} correct",
            difference="One cell of six edges on digits, 20 inner steps a meta-gradient: at this "
            "size a difference of a quarter of a point could not be seen.",
        ),
        Reported(
            claim="A policy finds networks as good as those of experts",
            source="Zoph and Le, 2017, CIFAR-10",
            reported="test error 3.65 %",
            measured=lambda r: _finding(r, "policy"),
            difference="96 networks instead of a space that nobody can search exhaustively: small "
            "enough that the best of all is known.",
        ),
    ),
    claims=(
        Claim(
            text="Searching an architecture by gradients: DARTS, first and second order",
            figure="accuracy",
            result=lambda r: _finding(r, "cell"),
        ),
        Claim(
            text="Searching an architecture by a recurrent controller",
            figure="course",
            result=lambda r: _finding(r, "policy"),
        ),
    ),
    sources=(
        Source("Liu, Simonyan and Yang, “DARTS: differentiable architecture search”, 2019",
               "https://arxiv.org/abs/1806.09055"),
        Source("Zoph and Le, “Neural architecture search with reinforcement learning”, 2017",
               "https://arxiv.org/abs/1611.01578"),
    ),
)  # fmt: skip
