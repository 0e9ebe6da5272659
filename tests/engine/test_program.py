"""A replayed step is the step: the same bits, the same derivatives."""

import pytest
import torch

from engine import trees
from engine.building import build_problem
from engine.estimators import build_estimator, estimate
from engine.estimators.gradient_paths import SameValues
from engine.program import StepProgram
from engine.spec import validate
from engine.trees import Meta
from tests.engine.shuffled import Shuffled

TASKS = [
    {"kind": "quadratic", "dimension": 5, "noise": 0.2},
    {"kind": "image_mlp", "hidden": [6], "batch_size": 8, "validation_examples": 20},
    {"kind": "image_cnn", "channels": [2], "batch_size": 4, "validation_examples": 10},
    {"kind": "image_cnn", "dataset": "mnist1d", "channels": [2], "batch_size": 4,
     "validation_examples": 10},
]  # fmt: skip
META = [
    {"kind": "learning_rate", "granularity": "per_step", "initial": 0.05},
    {"kind": "weight_decay", "granularity": "per_tensor", "initial": 0.01, "scale": "log"},
    {"kind": "initialisation"},
]


def learner(task: dict, optimizer: str):
    return build_problem(
        validate(
            {
                "inner_task": task,
                "inner": {"steps": 6, "optimizer": {"kind": optimizer}},
                "meta_parameters": META,
            }
        )
    )


class Replayed(SameValues):
    """A problem whose step is a program."""

    traced = True

    def __init__(self, problem) -> None:
        super().__init__(problem)
        meta = problem.initial_meta(0)
        self.step = StepProgram(problem.step, problem.initial_state(meta, 0), meta)
        self.inner_gradient, self.inner_products = problem.inner_gradient, problem.inner_products
        self.updated = problem.updated


def eager(problem):
    """The same learner, whose step runs as it is written."""
    problem.step = problem.eager_step
    return problem


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task["kind"])
def test_every_step_has_the_same_bits(task: dict, optimizer: str) -> None:
    problem = learner(task, optimizer)
    meta = problem.initial_meta(3)
    replayed = written = problem.initial_state(meta, 3)
    for t in range(problem.horizon):
        replayed = problem.step(replayed, meta, t)
        written = problem.eager_step(written, meta, t)
        pairs = zip(trees.Split(replayed).leaves, trees.Split(written).leaves, strict=True)
        assert all(torch.equal(one, other) for one, other in pairs)
    assert replayed["seed"] == 3


@pytest.mark.parametrize(
    "estimator",
    [
        {"kind": "unrolled", "storage": "full"},
        {"kind": "unrolled", "storage": "checkpoint"},
        {"kind": "forward_mode", "chunk": 64},
        {"kind": "evolution", "particles": 4},
    ],
    ids=lambda spec: spec["kind"],
)
@pytest.mark.parametrize("task", TASKS[:3], ids=lambda task: task["kind"])
def test_estimates_are_the_same(task: dict, estimator: dict) -> None:
    results = []
    for problem in (learner(task, "adam"), eager(learner(task, "adam"))):
        meta = problem.initial_meta(1)
        built = build_estimator(estimator)
        results.append(built.estimate(problem, meta, built.start(problem, meta, 1))[0])
    replayed, written = results
    assert replayed.meta_loss == written.meta_loss
    torch.testing.assert_close(
        trees.flat(replayed.gradient), trees.flat(written.gradient), rtol=1e-5, atol=1e-9
    )


def test_what_a_step_writes_into_is_made_anew_at_every_replay() -> None:
    def step(state, meta, t):
        total = torch.zeros(3, dtype=torch.float64)
        total += meta["rate"] * state["params"]["w"]
        table = torch.zeros_like(total)
        table.unbind(0)[1].copy_(total.sum())
        filled = torch.empty(2, dtype=torch.float64).fill_(1.0)
        filled[0] += total[0]
        return {"params": {"w": total + table}, "filled": filled}

    state = {"params": {"w": torch.rand(3, dtype=torch.float64)}}
    state["filled"] = torch.zeros(2, dtype=torch.float64)
    meta = {"rate": torch.tensor(0.9, dtype=torch.float64)}
    program = StepProgram(step, state, meta)
    replayed = written = state
    for t in range(3):
        replayed, written = program(replayed, meta, t), step(written, meta, t)
        assert torch.equal(replayed["params"]["w"], written["params"]["w"])
        assert torch.equal(replayed["filled"], written["filled"])


def shuffled_gradient() -> Meta:
    """Of `Shuffled`, by hand: differentiating the loop as it is written."""
    problem = Shuffled()

    def meta_loss(meta: Meta) -> torch.Tensor:
        state = problem.initial_state(meta, 0)
        for t in range(problem.horizon):
            state = problem.step(state, meta, t)
        return problem.meta_loss(state, meta, problem.horizon)

    return torch.func.grad(meta_loss)(problem.initial_meta(0))


@pytest.mark.parametrize("turned", [False, True], ids=["", "turned"])
@pytest.mark.parametrize(
    "estimator",
    [
        {"kind": "unrolled", "storage": "full"},
        {"kind": "unrolled", "segment": 5},
        {"kind": "unrolled", "products": "forward_over_reverse", "segment": 5},
        {"kind": "forward_mode"},
    ],
    ids=str,
)
@pytest.mark.parametrize("wrapped", [lambda problem: problem, Replayed], ids=["", "replayed"])
def test_parts_are_known_by_their_names(wrapped, estimator: dict, turned: bool) -> None:
    problem, expected = wrapped(Shuffled()), shuffled_gradient()
    meta = problem.initial_meta(0)
    if turned:
        meta = dict(reversed(meta.items()))
    found = estimate(problem, estimator, meta).gradient
    for name, leaf in expected.items():
        torch.testing.assert_close(found[name], leaf, rtol=1e-11, atol=0.0)


@pytest.mark.parametrize("products", ["reverse_over_reverse", "forward_over_reverse"])
def test_a_learner_takes_theta_in_any_order(products: str) -> None:
    problem = learner(TASKS[0], "momentum")
    meta = problem.initial_meta(0)
    estimator = {"kind": "unrolled", "products": products}
    expected = estimate(problem, estimator, meta).gradient
    found = estimate(problem, estimator, dict(reversed(meta.items()))).gradient
    assert all(torch.equal(found[name], expected[name]) for name in meta)
