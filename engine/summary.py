"""What a run comes down to: the last value of every series, and the best of those with a direction.

Free of torch: the runner and the recorder both keep it.
"""

from __future__ import annotations

import math

from engine.directions import BETTER, is_better

Summary = dict[str, float | None]


def best_of(name: str) -> str:
    """Under which name a summary has the best value of the series `name`."""
    return f"best_{name}"


def updated(summary: Summary, values: dict[str, float]) -> Summary:
    """`summary` after a point with `values`; what is not finite is never the best."""
    latest: Summary = {**summary, **values}
    for name, value in values.items():
        if name not in BETTER or not math.isfinite(value):
            continue
        best = summary.get(best_of(name))
        if best is None:
            # A version that kept no best of this series began the run: what it was, is not known.
            if not _is_finite(summary.get(name)):
                latest[best_of(name)] = value
        elif is_better(name, value, than=float(best)):
            latest[best_of(name)] = value
    return latest


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(float(value))
