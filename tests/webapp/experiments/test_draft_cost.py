"""The inner steps that a draft announces."""

import pytest

from webapp.experiments.draft import examine


@pytest.mark.parametrize(
    ("estimator", "steps"),
    [
        ({"kind": "unrolled"}, 20 * 3),
        ({"kind": "evolution", "particles": 4}, 4 * 20 * 3),
        ({"kind": "evolution", "mode": "pes", "window": 5, "particles": 4}, 4 * 5 * 3),
        ({"kind": "truncated", "mode": "windows", "online": True, "window": 5}, 5 * 3),
        ({"kind": "population_based", "population": 4, "interval": 5}, 4 * 5 * 3),
    ],
)
def test_an_outer_step_is_an_inner_loop_or_a_window_of_each_particle(estimator, steps) -> None:
    document = {
        "inner": {"steps": 20},
        "outer": {"steps": 3},
        "objective": "average",
        "estimators": [estimator],
    }
    assert examine(document).inner_steps == steps
