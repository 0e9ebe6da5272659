"""Sinusoid regression: the points lie on the seed's own curve, and meta-learning helps."""

import math

import pytest
import torch

from engine.building import build_problem
from engine.inner_tasks.inner_task import FIRST_HELD_OUT_SEED
from engine.inner_tasks.sinusoid import SinusoidTask
from engine.outer_loop.loop import SEED_STRIDE
from engine.runner import run
from engine.spec import inner_tasks as specs
from engine.spec import validate
from engine.spec.compatibility import MOST_INNER_STEPS

CPU = torch.device("cpu")


def task(**options) -> SinusoidTask:
    return SinusoidTask(specs.Sinusoid(**options), device=CPU, dtype=torch.float64)


def test_points_lie_on_a_sinusoid_of_the_published_range():
    sinusoids = task(shots=50)
    amplitudes = []
    for seed in range(40):
        points = sinusoids.batch(torch.tensor(seed), 0)
        assert points.x.shape == points.y.shape == (50, 1)
        assert -5 <= points.x.min() < points.x.max() <= 5
        # A sin(x − φ) = a sin x + b cos x: two unknowns, fitted exactly.
        basis = torch.cat([points.x.sin(), points.x.cos()], 1)
        solution = torch.linalg.lstsq(basis, points.y).solution
        assert torch.allclose(basis @ solution, points.y, atol=1e-10)
        a, b = solution.flatten().tolist()
        amplitudes.append(math.hypot(a, b))
        assert 0 <= math.atan2(-b, a) % (2 * math.pi) <= math.pi
    assert 0.1 <= min(amplitudes) < 1.5
    assert 4 < max(amplitudes) <= 5


def test_held_out_sinusoids_are_never_trained_on():
    largest = (2**31 - 1) + SEED_STRIDE * (MOST_INNER_STEPS - 1)
    assert largest < FIRST_HELD_OUT_SEED


def test_points_to_learn_from_and_to_judge_by_differ():
    sinusoids = task(shots=5, queries=5)
    seed = torch.tensor(3)
    params = sinusoids.initial_params(0)
    assert sinusoids.training_loss(params, sinusoids.batch(seed, 0)) != (
        sinusoids.validation_loss(params, seed)
    )


def spec(**more):
    return validate(
        {
            "inner_task": {"kind": "sinusoid", "hidden": [20, 20], "test_tasks": 20},
            "inner": {"steps": 1, "optimizer": {"kind": "sgd", "learning_rate": 0.02}},
            "meta_parameters": [{"kind": "initialisation"}],
            "estimators": [{"kind": "unrolled", "storage": "full"}],
            "outer": {
                "steps": 150,
                "meta_batch": 4,
                "inner_seed": "fresh",
                "optimizer": {"kind": "adam", "learning_rate": 0.01},
            },
            "probes": {"every": 150, "oracle": False, "memory": False},
            "device": "cpu",
            **more,
        }
    )


def test_a_learned_start_adapts_better_to_new_sinusoids():
    experiment = spec()
    problem = build_problem(experiment)
    before = problem.test_figures(problem.initial_meta(0), 0)["test_loss"]
    figures = [
        event.values["test_loss"]
        for event in run(experiment)
        if "test_loss" in getattr(event, "values", {})
    ]
    assert figures[-1] < 0.8 * before


def test_the_picture_shows_the_curve_before_and_after():
    problem = build_problem(spec())
    [picture] = problem.pictures(problem.initial_meta(0), 0)
    labels = [line.label for line in picture.drawing.lines]
    assert labels == [
        "true function", "before adaptation", "after 1 steps", "points to learn from",
    ]  # fmt: skip
    true, _, _, points = picture.drawing.lines
    assert points.points
    assert len(points.x) == 10
    assert max(true.y) == pytest.approx(-min(true.y), rel=0.01)
