"""What a run's summary keeps: the last value of every series, and the best where there is one."""

from __future__ import annotations

import math
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from engine.directions import BETTER
from engine.summary import Summary, best_of, updated


def after(*points: dict[str, float], before: Summary | None = None) -> Summary:
    return reduce(updated, points, before or {})


def test_the_best_is_that_of_each_metric_s_own_direction() -> None:
    found = after(
        {"meta_loss": 3.0, "cosine": 0.2, "gradient_norm": 5.0},
        {"meta_loss": 1.0, "cosine": 0.9, "gradient_norm": 4.0},
        {"meta_loss": 2.0, "cosine": 0.5, "gradient_norm": 9.0},
    )
    assert found == {
        "meta_loss": 2.0,
        "best_meta_loss": 1.0,
        "cosine": 0.5,
        "best_cosine": 0.9,
        "gradient_norm": 9.0,
    }


def test_what_is_not_finite_is_never_the_best() -> None:
    found = after({"cosine": math.inf}, {"cosine": 0.5}, {"cosine": math.nan})
    assert found["best_cosine"] == 0.5
    assert "best_bias" not in after({"bias": math.nan}, {"bias": math.inf})


def test_a_run_that_began_before_its_best_was_kept_has_none() -> None:
    """What it reached before is not known, so no later value can be called the best."""
    before: Summary = {"meta_loss": 2.0, "best_meta_loss": 1.0, "bias": 0.1}
    found = after({"meta_loss": 1.5, "bias": 0.3, "variance": 4.0}, before=before)
    assert "best_bias" not in found
    assert found["best_meta_loss"] == 1.0
    assert found["best_variance"] == 4.0


@given(
    name=st.sampled_from(sorted(BETTER)),
    values=st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1),
)
def test_the_best_is_the_extreme_of_all_finite_values(name: str, values: list[float]) -> None:
    found = after(*({name: value} for value in values))
    finite = [value for value in values if math.isfinite(value)]
    extreme = min if BETTER[name] == "lower" else max
    assert found.get(best_of(name)) == (extreme(finite) if finite else None)
