"""A forecast that nobody waits for any more ends in the middle of its trace."""

import pytest

from engine.forecast.forecasting import forecast
from engine.forecast.interrupting import Interrupted, interruptible
from engine.forecast.subject_cache import forget
from tests.engine.forecast.test_peaks import experiment


def test_a_trace_is_left_undone_and_can_be_made_again() -> None:
    spec = experiment({"kind": "unrolled", "storage": "full"}, {"inner": {"steps": 14}})
    forget()
    looks = iter([True] * 200)
    with pytest.raises(Interrupted), interruptible(lambda: next(looks, False)):
        forecast(spec)
    asked = []
    with interruptible(lambda: asked.append(1) or True):
        whole = forecast(spec)
    assert len(asked) > 200, "it was left in the middle"
    assert whole == forecast(spec)
