"""How much is tried: little beside the other tests, as much as one likes by `FUZZ=50`."""

import os
import sys
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings

EFFORT = max(1, int(os.environ.get("FUZZ", "1")))
"""Multiplies the examples of every test here; above 1 they are other ones each time."""
LONGEST_SECONDS = 2.0
"""Of the processor; a busy machine takes longer by the clock."""
TRACED = 3.0
"""So much slower is code whose lines Hypothesis watches."""
LONGEST_WAIT = 20.0
"""By the clock, for what waits instead of computing."""


def examples(number: int) -> settings:
    """`number` examples, the same at every run; with more effort more, and new ones."""
    return settings(
        max_examples=number * EFFORT,
        derandomize=EFFORT == 1,
        # To make a failure small takes longer than to find it.
        phases=[Phase.generate, *([Phase.shrink] if EFFORT > 1 else [])],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def in_time(act: Callable[[], Any]) -> Any:
    """What `act` returns, without hanging."""
    began, used = time.perf_counter(), time.process_time()
    result = act()
    used, took = time.process_time() - used, time.perf_counter() - began
    most = LONGEST_SECONDS * (TRACED if sys.gettrace() else 1)
    assert used < most, f"computes for {used:.1f} s"
    assert took < LONGEST_WAIT, f"takes {took:.1f} s"
    return result
