"""How big a computation graph is: the floats that one inner step keeps for the way back.

As the lecture counts: backpropagation through the inner loop keeps, of every step, the parameters,
the activations, and what the backward pass of the inner gradient computed, since the meta-gradient
goes through that as well. The floats of one step times the horizon are the graph. They are counted
on the estimator's own code, by what one further step adds to the peak of `unrolled` with storage
`full`; the states, which checkpoints are made of, by what it adds with storage `per_step`.
"""

from __future__ import annotations

from math import prod

from engine.forecast.forecasting import forecast
from engine.forecast.records import FLOAT_BYTES, GraphSize
from engine.spec import Experiment, validate
from engine.spec.editing import edited

HORIZONS = (1000, 2000)
"""What a step adds is the same at every horizon; between these two it is read off."""


def graph_size(experiment: Experiment) -> GraphSize:
    """Of `experiment`'s inner loop, whatever its estimators are.

    Raises as `engine.forecast.forecasting.forecast`.
    """
    size = FLOAT_BYTES[experiment.precision]
    per_step = _added(experiment, "full")
    horizon = experiment.inner.steps
    return GraphSize(
        parameters=sum(prod(s) for s in experiment.inner_parameter_shapes().values()),
        meta_parameters=experiment.meta_parameter_count(),
        state_floats=round(_added(experiment, "per_step") / size),
        floats_per_step=round(per_step / size),
        bytes_per_step=round(per_step),
        horizon=horizon,
        floats=round(per_step / size) * horizon,
        bytes=round(per_step) * horizon,
    )


def _added(experiment: Experiment, storage: str) -> float:
    """Bytes that one further step adds to the peak of an estimate."""
    plain = experiment.model_dump(mode="json")
    alone = {
        **plain, "sweep": {}, "estimators": [{"kind": "unrolled", "storage": storage}],
        "probes": {"oracle": False, "test": False}, "device": "cpu", "budget": {},
        "outer": {**plain["outer"], "steps": 1, "meta_batch": 1},
    }  # fmt: skip
    short, long = (
        forecast(validate(edited(alone, {"inner.steps": steps})))[0].peak_bytes
        for steps in HORIZONS
    )
    return (long - short) / (HORIZONS[1] - HORIZONS[0])
