"""Every registered estimator meets the contract, with its defaults and with each of its modes."""

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest

from engine.estimators import build_estimator
from engine.spec import SpecError
from engine.spec.installed import ESTIMATORS
from engine.testing import EstimatorContract, UnbiasedEstimatorContract

ONLINE = {"kind": "truncated", "mode": "windows", "window": 5, "online": True}
BY_WINDOWS = [
    {"kind": "evolution", "mode": mode, "window": 5, "particles": 12, "sigma": 0.3}
    for mode in ("truncated_es", "pes", "noise_reuse")
]
MIXED = {"products": "forward_over_reverse"}
TOGETHER = [
    {"kind": "unrolled", "segment": 3, "save_gradients": True, "offload": True, **MIXED},
    {**ONLINE, **MIXED},
    ONLINE,
    {**ONLINE, "schedule": "random"},
    {**ONLINE, "schedule": "growing", "longest_window": 9},
    *(
        {"kind": "implicit", "solver": solver, "iterations": 2, "warm_start": True}
        for solver in ("cg", "normal_cg", "neumann")
    ),
    {"kind": "implicit", "products": "finite_difference", "iterations": 2, "warm_start": True},
    {"kind": "forward_mode", "random_directions": 3, "chunk": 2},
    *BY_WINDOWS,
    {**BY_WINDOWS[1], "particles": 4, "chunk": 1, "fitness_shaping": "centred_ranks"},
]
"""Choices that need another one beside them."""
UNBIASED = [
    {"kind": "evolution", "particles": 8, "sigma": 0.3},
    *BY_WINDOWS[1:],
    {"kind": "forward_mode", "random_directions": 3},
    *(
        {"kind": "reinforce", "samples": 4, "baseline": baseline}
        for baseline in ("leave_one_out", "moving_average", "none")
    ),
]


def modes() -> Iterator[dict[str, Any]]:
    """Each kind by default, then with one choice changed at a time."""
    for kind, model in ESTIMATORS.items():
        if model.proposes:
            continue
        yield {"kind": kind}
        for name, field in model.model_fields.items():
            if get_origin(field.annotation) is Literal and name != "kind":
                others = [value for value in get_args(field.annotation) if value != field.default]
                yield from ({"kind": kind, name: value} for value in others)


def allowed(spec: dict[str, Any]) -> bool:
    """Whether the choice stands alone; some need another one beside them."""
    try:
        build_estimator(spec)
    except SpecError:
        return False
    return True


class TestEveryRegisteredEstimator(EstimatorContract):
    @pytest.fixture(params=[*filter(allowed, modes()), *TOGETHER], ids=str)
    def estimator(self, request):
        return build_estimator(request.param)


class TestUnbiasedEstimators(UnbiasedEstimatorContract):
    @pytest.fixture(params=UNBIASED, ids=str)
    def estimator(self, request):
        return build_estimator(request.param)
