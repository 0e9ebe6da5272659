"""Checkpoints: where they are, what they cost, and that they change no gradient."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine import estimate
from engine.building import build_problem
from engine.estimators.segments import bytes_of_state, bytes_of_step, shrinking
from engine.spec import validate
from engine.testing_problems import Recurrence


def perceptron(steps: int):
    document = {
        "inner_task": {"kind": "image_mlp", "hidden": [128, 128], "activation": "tanh"},
        "inner": {"steps": steps},
        "meta_parameters": [{"kind": "learning_rate"}],
        "device": "cpu",
        "precision": "float64",
    }
    return build_problem(validate(document))


@given(st.integers(1, 3000), st.integers(0, 10**6), st.integers(0, 10**6))
def test_segments_begin_at_0_and_never_grow(horizon: int, state: int, step: int) -> None:
    starts = shrinking(horizon, state_bytes=state, step_bytes=step)
    lengths = [b - a for a, b in zip(starts, [*starts[1:], horizon], strict=True)]
    assert starts[0] == 0
    assert min(lengths) >= 1
    # The first one takes what is left over.
    assert all(a >= b for a, b in pairwise(lengths[1:]))


@given(st.integers(100, 5000), st.floats(0.3, 3.0))
def test_what_is_alive_is_what_the_theory_says(horizon: int, ratio: float) -> None:
    step = 1000
    state = int(ratio * step)
    starts = shrinking(horizon, state_bytes=state, step_bytes=step)
    stops = [*starts[1:], horizon]
    alive = max(
        (kept + 1) * state + (stop - start) * step
        for kept, (start, stop) in enumerate(zip(starts, stops, strict=True))
    )
    ideal = (2 * horizon * state * step) ** 0.5
    assert alive < 1.25 * ideal + 2 * (state + step)


def test_the_bytes_of_a_step_are_those_by_which_the_graph_grows() -> None:
    long, short = (
        estimate(p, {"kind": "unrolled", "storage": "full"}, p.initial_meta(0)).cost.peak_bytes
        for p in (perceptron(30), perceptron(20))
    )
    problem = perceptron(20)
    meta = problem.initial_meta(0)
    state = problem.initial_state(meta, 0)
    assert bytes_of_step(problem, state, meta) == pytest.approx((long - short) / 10, rel=0.05)
    assert bytes_of_state(state) == sum(w.numel() * 8 for w in state["params"].values())


def test_they_need_less_than_equal_ones_and_give_the_same_gradient() -> None:
    problem = perceptron(100)
    meta = problem.initial_meta(0)
    shrunk = estimate(problem, {"kind": "unrolled"}, meta)
    equal = estimate(problem, {"kind": "unrolled", "segment": 10}, meta)
    full = estimate(problem, {"kind": "unrolled", "storage": "full"}, meta)
    assert shrunk.cost.peak_bytes < 0.9 * equal.cost.peak_bytes
    assert shrunk.cost.inner_steps <= 200
    torch.testing.assert_close(shrunk.gradient, full.gradient, rtol=1e-9, atol=0)


def test_offloading_leaves_the_tensors_of_the_problem_as_they_are() -> None:
    problem = Recurrence(dtype=torch.float64)
    meta = problem.initial_meta(0)
    problem.initial_meta = lambda seed: meta
    estimate(problem, {"kind": "unrolled", "storage": "full", "offload": True}, meta)
    assert not any(leaf.requires_grad for leaf in meta.values())
