"""Every differentiable inner task with every meta-parameter and every inner optimizer.

On each: the meta-gradient matches central finite differences of the meta-loss, and every exact
estimator returns the same. Networks are smooth (tanh) and Adam's ε is large, so that finite
differences are accurate: near zero gradients, Adam with a small ε is a step function.
"""

import pytest
import torch

from engine import estimate, trees
from engine.building import build_problem
from engine.problem import Learner
from engine.spec import validate

HORIZON = 4
STEP = 1e-5

SMALL = {"activation": "tanh", "batch_size": 6, "train_examples": 40, "validation_examples": 20}
TASKS = {
    "quadratic": {"kind": "quadratic", "dimension": 4, "noise": 0.3},
    "mlp": {"kind": "image_mlp", "hidden": [3], **SMALL},
    "cnn": {"kind": "image_cnn", "channels": [2, 2], **SMALL},
    "cnn of signals": {"kind": "image_cnn", "dataset": "mnist1d", "channels": [2, 2], **SMALL},
    "noisy quadratic": {"kind": "noisy_quadratic", "dimension": 4},
    "influence balancing": {"kind": "influence_balancing", "dimension": 4, "positive": 1},
}
OPTIMIZERS = {
    "sgd": {"kind": "sgd", "weight_decay": 0.03},
    "momentum": {"kind": "momentum", "momentum": 0.7, "weight_decay": 0.03},
    "adam": {"kind": "adam", "epsilon": 0.05, "weight_decay": 0.03},
    "none": {"kind": "sgd"},
}
META_PARAMETERS = [
    *(
        {"kind": "learning_rate", "granularity": granularity}
        for granularity in ("scalar", "per_tensor", "per_parameter", "per_step")
    ),
    {"kind": "learning_rate", "scale": "log"},
    *(
        {"kind": "weight_decay", "granularity": granularity}
        for granularity in ("scalar", "per_tensor", "per_parameter")
    ),
    {"kind": "weight_decay", "scale": "log"},
    {"kind": "initialisation"},
    {"kind": "momentum"},
    {"kind": "drive"},
]
LEARNED_BY_SYSTEMS = {"noisy quadratic": "learning_rate", "influence balancing": "drive"}
"""Dynamical systems have no inner optimizer, and learn what they read."""
EXACT = {
    "checkpoint": {"kind": "unrolled", "storage": "checkpoint"},
    "per step": {"kind": "unrolled", "storage": "per_step"},
    "last K = T": {"kind": "truncated", "mode": "last_k", "window": HORIZON},
    "one window of T": {"kind": "truncated", "mode": "windows", "window": HORIZON},
    "forward mode": {"kind": "forward_mode", "chunk": 128},
}
OF_INNER_GRADIENTS = {
    "mixed mode": {
        "kind": "unrolled",
        "segment": 2,
        "products": "forward_over_reverse",
        "save_gradients": True,
    },
}
"""The first segment's steps are replayed with saved gradients, and the last one's taken anew."""
BOTH = ["final", "average"]
OBJECTIVES = {"quadratic": BOTH, "mlp": BOTH, **dict.fromkeys(LEARNED_BY_SYSTEMS, BOTH)}
"""Convolutions take longer: they have the objective with a loss at every step only."""


def is_possible(task: str, optimizer: str, learned: str) -> bool:
    if task in LEARNED_BY_SYSTEMS:
        return optimizer == "none" and learned == LEARNED_BY_SYSTEMS[task]
    if optimizer == "none" or learned == "drive":
        return False
    return learned != "momentum" or optimizer == "momentum"


PAIRS = [
    (task, optimizer, meta_parameter, objective)
    for task in TASKS
    for objective in OBJECTIVES.get(task, ["average"])
    for optimizer in OPTIMIZERS
    for meta_parameter in META_PARAMETERS
    if is_possible(task, optimizer, meta_parameter["kind"])
]


def name_of(pair) -> str:
    task, optimizer, meta_parameter, objective = pair
    return ", ".join([task, optimizer, *meta_parameter.values(), objective])


@pytest.fixture(autouse=True)
def one_thread():
    """Tensors this small are slower on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=PAIRS, ids=name_of)
def problem(request):
    task, optimizer, meta_parameter, objective = request.param
    return build_problem(
        validate(
            {
                "inner_task": TASKS[task],
                "inner": {"steps": HORIZON, "optimizer": OPTIMIZERS[optimizer]},
                "meta_parameters": [meta_parameter],
                "objective": objective,
                "precision": "float64",
                "device": "cpu",
            }
        )
    )


@torch.no_grad()
def meta_loss(problem, meta) -> float:
    """F(θ), by nothing but the contract of a problem."""
    state = problem.initial_state(meta, 0)
    losses = []
    for t in range(HORIZON):
        state = problem.step(state, meta, t)
        losses.append(problem.meta_loss(state, meta, t + 1).item())
    return losses[-1] if problem.objective == "final" else sum(losses) / HORIZON


def along(meta, direction, distance):
    """θ + distance · direction, with the direction given as one flat vector."""
    parts = direction.split([leaf.numel() for leaf in meta.values()])
    return {
        name: leaf + distance * part.reshape(leaf.shape)
        for (name, leaf), part in zip(meta.items(), parts, strict=True)
    }


def test_the_meta_gradient_is_right_and_every_exact_estimator_returns_it(problem):
    meta = problem.initial_meta(0)
    unrolled = estimate(problem, {"kind": "unrolled", "storage": "full"}, meta)
    gradient = trees.flat(unrolled.gradient)
    size = gradient.norm()
    assert size > 1e-4
    assert unrolled.meta_loss == pytest.approx(meta_loss(problem, meta), rel=1e-12)

    generator = torch.Generator().manual_seed(0)
    random = torch.randn(len(gradient), generator=generator, dtype=torch.float64)
    for direction in (gradient, random):
        unit = direction / direction.norm()
        ahead = meta_loss(problem, along(meta, unit, STEP))
        behind = meta_loss(problem, along(meta, unit, -STEP))
        slope = (ahead - behind) / (2 * STEP)
        assert abs(slope - gradient @ unit) < 1e-5 * size

    exact = EXACT | (OF_INNER_GRADIENTS if isinstance(problem, Learner) else {})
    for name, spec in exact.items():
        other = estimate(problem, spec, meta)
        assert (trees.flat(other.gradient) - gradient).norm() < 1e-8 * size, name
        assert other.meta_loss == pytest.approx(unrolled.meta_loss, rel=1e-12), name
