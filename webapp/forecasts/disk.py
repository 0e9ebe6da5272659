"""Bytes that one run takes on disk: its points, and its checkpoints while it runs."""

from __future__ import annotations

from engine.events import MOST_RECORDED_ENTRIES
from engine.forecast.records import FLOAT_BYTES
from engine.spec import Experiment

SERIES = 8
"""Figures of every outer step."""
PROBE_SERIES = 14
"""Further ones of a probe."""
ENTRY_BYTES = 16
"""An outer step and a value."""
CHECKPOINTS = 2
"""Kept of a running run."""
COPIES = 3
"""Of θ in a checkpoint: itself, and the two moments of the outer optimizer."""


def disk_bytes(experiment: Experiment) -> float:
    """Of a run that `experiment`, of one estimator, describes; pictures and carries apart."""
    count = experiment.meta_parameter_count()
    recorded = count if count <= MOST_RECORDED_ENTRIES else 0
    series = SERIES + recorded + PROBE_SERIES / experiment.probes.every
    points = experiment.outer.steps * series * ENTRY_BYTES
    itemsize = FLOAT_BYTES[experiment.precision]
    return points + CHECKPOINTS * COPIES * count * itemsize
