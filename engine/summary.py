"""What a run comes down to: the last value of every series, and the best meta-loss.

Free of torch: the runner and the recorder both keep it.
"""

from __future__ import annotations

import math

Summary = dict[str, float | None]


def updated(summary: Summary, values: dict[str, float]) -> Summary:
    """`summary` after a point with `values`; a meta-loss that is not finite is never the best."""
    latest: Summary = {**summary, **values}
    loss, best = values["meta_loss"], summary.get("best_meta_loss")
    if math.isfinite(loss) and (best is None or loss < float(best)):
        latest["best_meta_loss"] = loss
    return latest
