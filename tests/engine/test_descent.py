"""What descending reports of an estimator's health, and of whole inner loops."""

import math
from itertools import pairwise

import pytest

from engine.runner import run
from engine.spec import validate


def points(**changes) -> list[dict[str, float]]:
    document = {
        "inner_task": {"kind": "quadratic", "dimension": 5, "noise": 0.1},
        "inner": {"steps": 12, "optimizer": {"kind": "sgd", "learning_rate": 0.2}},
        "outer": {"steps": 2},
        "precision": "float64",
        "probes": {"every": 1, "memory": False},
        **changes,
    }
    return [event.values for event in run(validate(document)) if hasattr(event, "values")]


def test_figures_of_the_health_record_are_series_where_there_are_any() -> None:
    implicit = {"kind": "implicit", "solver": "cg"}
    (first, _) = points(estimators=[implicit], meta_parameters=[{"kind": "weight_decay"}])
    assert first["negative_curvature"] == 0.0
    assert first["residual"] < 1e-6
    assert first["inner_gradient_norm"] > 0.0
    (first, _) = points(estimators=[{"kind": "unrolled"}])
    assert first["adjoint_norm"] > 0.0
    assert not {"residual", "inner_gradient_norm", "negative_curvature"} & first.keys()


def test_negative_curvature_is_a_figure_of_one() -> None:
    """A network that has hardly been trained stands at no minimum."""
    (first, _) = points(
        estimators=[{"kind": "implicit", "solver": "cg"}],
        meta_parameters=[{"kind": "weight_decay", "initial": 0.001}],
        inner_task={"kind": "image_mlp", "hidden": [6], "activation": "tanh"},
        inner={"steps": 3, "optimizer": {"kind": "sgd", "learning_rate": 0.05}},
    )
    assert first["negative_curvature"] == 1.0


def test_an_online_estimator_is_probed_over_a_whole_inner_loop() -> None:
    """Its bias is that of the windows' sum, and not that of the window that its turn is."""
    online = {"kind": "truncated", "mode": "windows", "window": 4, "online": True}
    summed = {"kind": "truncated", "mode": "windows", "window": 4}
    probed, expected = (
        points(estimators=[kind], objective="average")[0] for kind in (online, summed)
    )
    for name in ("bias", "cosine"):
        assert probed[name] == pytest.approx(expected[name], rel=1e-9)
    assert probed["meta_loss"] != expected["meta_loss"], "the run itself goes by windows"


def test_intervals_are_there_for_an_estimator_that_draws() -> None:
    drawn, _ = points(estimators=[{"kind": "evolution", "particles": 8, "sigma": 0.05}])
    for name in ("bias", "bias_relative", "variance", "variance_relative"):
        assert 0.0 <= drawn[f"{name}_low"] < drawn[f"{name}_high"]
    exact, _ = points(estimators=[{"kind": "unrolled"}])
    assert not [name for name in exact if name.endswith(("_low", "_high"))]


def test_a_cosine_takes_the_outer_step_size_to_zero() -> None:
    """Plain steps along the gradient of the recorded norm: what θ moves by is known."""
    optimizer = {"kind": "sgd", "learning_rate": 0.01, "schedule": "cosine"}
    found = points(estimators=[{"kind": "unrolled"}], outer={"steps": 4, "optimizer": optimizer})
    thetas = [point["theta.learning_rate"] for point in found]
    for step, (before, after) in enumerate(pairwise(thetas)):
        step_size = 0.01 * (1 + math.cos(math.pi * step / 4)) / 2
        moved = step_size * found[step]["gradient_norm"]
        assert abs(after - before) == pytest.approx(moved, rel=1e-9)


@pytest.mark.parametrize(
    ("estimator", "each"),
    [
        ({"kind": "fomaml"}, 12),
        ({"kind": "unrolled", "storage": "full"}, 12 + 2 * 12),
        ({"kind": "truncated", "window": 3}, 12 + 2 * 3),
        ({"kind": "random", "population": 4}, 12 * (4 + 1)),
    ],
)
def test_gradients_are_counted_so_far_and_second_derivatives_as_two(
    estimator: dict, each: int
) -> None:
    learned = [{"kind": "initialisation"}] if estimator["kind"] == "fomaml" else None
    changes = {"meta_parameters": learned} if learned else {}
    counted = [p["gradient_evaluations"] for p in points(estimators=[estimator], **changes)]
    assert counted == [each, 2 * each]
