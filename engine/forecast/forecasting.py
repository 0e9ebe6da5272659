"""What every estimator of a spec will need, told from its own code without running it."""

from __future__ import annotations

from math import ceil, prod

from engine.building import is_compiled
from engine.data import DataError
from engine.forecast.probing import probing
from engine.forecast.quickest import quickest_for_estimates
from engine.forecast.records import Calibration, EstimatorForecast, Work
from engine.forecast.seconds import with_time
from engine.forecast.subject_cache import subject_of
from engine.forecast.subjects import Subject
from engine.forecast.tracing import COUNTS
from engine.forecast.uncompiled import compiling
from engine.preflight.torch_words import fault
from engine.spec import Experiment, SpecError
from engine.spec.estimator import Estimator as Options

MOST_MEASURED_PARAMETERS = 5_000_000
"""Of a learner that is run for a few steps where shapes alone do not tell what it needs."""

COMPILED = "Its inner loop is compiled: its time is known roughly, with that of compiling it."


def forecast(
    experiment: Experiment, calibration: Calibration | None = None
) -> list[EstimatorForecast]:
    """One forecast for each estimator of `experiment`, in order, at the spec's own values: of one
    run, one seed, sweeps aside. With seconds where a calibration knows the machine.

    Raises `engine.data.DataMissing` where the data set must be fetched first, and `RuntimeError`
    for a device that is not there, or an inner loop whose sizes depend on values and that is too
    large to try a step of.
    """
    found = [_traced_or_measured(experiment, options) for options in experiment.estimators]
    return with_time(found, experiment, calibration)


def _traced_or_measured(experiment: Experiment, options: Options) -> EstimatorForecast:
    """By traces that hang on no value; where an operation defeats that, by tiny estimates that are
    run."""
    try:
        return _of_one(experiment, options, quickest_for_estimates(experiment, options))
    except (DataError, SpecError):
        raise
    except Exception as error:
        shapes = experiment.inner_parameter_shapes().values()
        if sum(map(prod, shapes)) > MOST_MEASURED_PARAMETERS:
            reason = fault(error).reason
            raise RuntimeError(
                f"what this needs cannot be told without running it: {reason}"
            ) from error
        return _of_one(experiment, options, subject_of(experiment, "measured"))


def _of_one(experiment: Experiment, options: Options, subject: Subject) -> EstimatorForecast:
    outer, steps = experiment.outer, experiment.inner.steps
    together, problem, start = subject.estimated(experiment, options)
    seeds = outer.meta_batch if options.proposes else 1
    sizes = {"steps": steps, "objective": experiment.objective, "seeds": seeds}
    # Only the first estimate of a run begins windows that others are in the middle of.
    reached, work, kept = subject.needs(options, problem, **sizes, carried=options.partial)
    estimates = 1 if options.proposes else outer.meta_batch // together
    estimate = _of_each_loop(work, together) * estimates
    if options.partial and options.kind == "evolution":
        # Before it, pairs go to windows spread evenly over the inner loop: half of it each.
        start += estimate * (0.5 * (ceil(steps / options.window) - 1))
    probes = probing(
        experiment, options, subject,
        peak=reached.bytes, estimate=estimate, estimates=estimates,
    )  # fmt: skip
    moments = 0 if options.proposes else {"adam": 2, "sgd": 0}[outer.optimizer.kind] + 1
    resident = subject.data_bytes + (1 + moments) * subject.meta_bytes + kept * estimates
    compiled = is_compiled(experiment)
    if compiled:
        start += compiling(estimate)
    return EstimatorForecast(
        spec=options.model_dump(mode="json"),
        label=options.label,
        peak_bytes=reached.bytes,
        parts=reached.parts,
        resident_bytes=resident,
        probe_bytes=probes.bytes,
        run_bytes=resident + max(reached.bytes, probes.bytes),
        estimate=estimate,
        run=estimate * outer.steps + start,
        probes=probes.work,
        compiled=compiled,
        how="measured" if subject.tensors == "measured" else "traced",
        notes=[COMPILED] if compiled else [],
    )


def _of_each_loop(work: Work, together: int) -> Work:
    """An estimate counts the steps of inner loops that go together once; a run, each of them."""
    counts = {name: getattr(work, name) * together for name in COUNTS}
    return work.model_copy(update=counts)
