"""How much is tried: little beside the other tests, as much as one likes by `FUZZ=50`."""

import os
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings

EFFORT = max(1, int(os.environ.get("FUZZ", "1")))
"""Multiplies the examples of every test here; above 1 they are other ones each time."""
LONGEST_SECONDS = 2.0
TRIES = 3
"""A busy machine is slow now and then; what hangs is slow every time."""


def examples(number: int) -> settings:
    """`number` examples, the same at every run; with more effort more, and new ones."""
    return settings(
        max_examples=number * EFFORT,
        derandomize=EFFORT == 1,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def in_time(act: Callable[[], Any]) -> Any:
    """What `act` returns, which it does within `LONGEST_SECONDS` at least once in `TRIES`."""
    took = []
    for _ in range(TRIES):
        began = time.perf_counter()
        result = act()
        took.append(time.perf_counter() - began)
        if took[-1] < LONGEST_SECONDS:
            return result
    raise AssertionError(f"hangs: {', '.join(f'{seconds:.1f} s' for seconds in took)}")
