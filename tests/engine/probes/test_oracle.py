"""The oracle in float64 beside a run in float32."""

import pytest
import torch

from engine import estimate, trees
from engine.building import build_problem
from engine.probes.oracle import Oracle, oracle
from engine.runner import run
from engine.spec import validate

QUADRATIC = {"inner_task": {"kind": "quadratic", "dimension": 6, "noise": 0.1}}
NETWORK = {
    "inner_task": {"kind": "image_mlp", "hidden": [8], "activation": "tanh", "batch_size": 16}
}


def experiment(task: dict, **changes):
    document = {
        **task,
        "inner": {"steps": 15, "optimizer": {"kind": "sgd", "learning_rate": 0.1}},
        "meta_parameters": [{"kind": "learning_rate"}, {"kind": "initialisation"}],
        "outer": {"steps": 1},
        "device": "cpu",
        "probes": {"oracle_precision": "float64", "memory": False},
    }
    return validate({**document, **changes})


def relative_difference(first: dict, second: dict) -> float:
    first, second = trees.flat(first), trees.flat(second)
    return float((first - second).norm() / second.norm())


@pytest.mark.parametrize("task", [QUADRATIC, NETWORK], ids=["closed form", "adjoint"])
def test_it_is_the_meta_gradient_in_double_precision_at_the_runs_theta(task: dict) -> None:
    single = build_problem(experiment(task))
    double = build_problem(experiment(task, precision="float64"))
    meta = single.initial_meta(3)
    loss, gradient = Oracle(experiment(task), single)(meta, 3)
    in_double = {name: leaf.double() for name, leaf in meta.items()}
    exact = estimate(double, {"kind": "unrolled", "storage": "full"}, in_double, seed=3)
    assert all(leaf.dtype == torch.float64 for leaf in gradient.values())
    assert loss == pytest.approx(exact.meta_loss, rel=1e-12)
    assert relative_difference(gradient, exact.gradient) < 1e-12
    of_the_run = oracle(single, meta, 3)[1]
    assert 1e-10 < relative_difference(of_the_run, gradient) < 1e-5


def test_it_equals_the_closed_form_in_double_precision() -> None:
    single = build_problem(experiment(QUADRATIC))
    double = build_problem(experiment(QUADRATIC, precision="float64"))
    meta = single.initial_meta(0)
    loss, gradient = Oracle(experiment(QUADRATIC), single)(meta, 0)
    closed_loss, closed = double.exact({name: leaf.double() for name, leaf in meta.items()}, 0)
    assert loss == pytest.approx(closed_loss, rel=1e-12)
    assert relative_difference(gradient, closed) < 1e-12


@pytest.mark.parametrize("task", [QUADRATIC, NETWORK], ids=["closed form", "adjoint"])
def test_an_exact_estimator_in_single_precision_is_off_by_its_rounding(task: dict) -> None:
    def bias(**changes) -> float:
        events = run(experiment(task, **changes))
        return next(e.values["bias_relative"] for e in events if hasattr(e, "values"))

    assert 1e-9 < bias() < 2e-6
    assert bias(precision="float64") < 1e-12


def test_in_the_runs_precision_nothing_is_built_a_second_time() -> None:
    spec = experiment(NETWORK, probes={"memory": False})
    problem = build_problem(spec)
    meta = problem.initial_meta(0)
    loss, gradient = Oracle(spec, problem)(meta, 0)
    again, other = oracle(problem, meta, 0)
    assert loss == again
    assert all(torch.equal(gradient[name], other[name]) for name in meta)
    double = experiment(NETWORK, precision="float64")
    own = build_problem(double)
    assert Oracle(double, own)._in_double is own
