"""From counted work to seconds, with the interval that past forecasts leave."""

from __future__ import annotations

from collections.abc import Iterable

from engine.forecast.corrections import RatioDistribution, expected_ratio, group_of
from engine.forecast.records import Calibration, EstimatorForecast, Machine, Work
from engine.spec import Experiment


def with_time(
    forecasts: Iterable[EstimatorForecast],
    experiment: Experiment,
    calibration: Calibration | None,
) -> list[EstimatorForecast]:
    """The `forecasts` with the seconds of an outer step, of a run with its probes, and the 90 %
    interval of the latter. As they are where there is no calibration, or none of the machine's
    rates. What other runs teach is left aside for a compiled inner loop: they call operations."""
    forecasts = list(forecasts)
    if calibration is None or calibration.machine.rates is None:
        return forecasts
    return [
        _timed(
            forecast,
            calibration.machine,
            experiment.precision,
            expected_ratio(
                [] if forecast.compiled else calibration.corrections,
                group_of(experiment.inner_task.model_dump(mode="json"), forecast.spec["kind"]),
            ),
        )
        for forecast in forecasts
    ]


def rated_seconds(work: Work, machine: Machine, precision: str) -> float:
    """What `work` takes by the rates of `machine` alone.

    A CPU calls, computes and moves one after the other. A GPU computes what has been called while
    the next operation is being called, so that the longer of the two decides (the roofline of
    Williams, Waterman and Patterson, 2009, with the calls as a further roof).
    """
    rates = machine.rates
    if rates is None:
        raise ValueError(f"the rates of {machine.name} have not been measured")
    double = precision == "float64"
    flops_per_second = rates.double_flops_per_second if double else rates.flops_per_second
    called = work.operations * rates.operation_seconds
    computed = work.flops / flops_per_second + work.bytes_moved / rates.bytes_per_second
    return max(called, computed) if machine.device == "cuda" else called + computed


def _timed(
    forecast: EstimatorForecast, machine: Machine, precision: str, expected: RatioDistribution
) -> EstimatorForecast:
    step = rated_seconds(forecast.estimate, machine, precision)
    run = sum(rated_seconds(work, machine, precision) for work in (forecast.run, forecast.probes))
    low, high = expected.interval()
    return forecast.model_copy(
        update={
            "step_seconds": expected.factor * step,
            "seconds": expected.factor * run,
            "seconds_low": low * run,
            "seconds_high": high * run,
        }
    )
