"""What a run measures beside its estimates: the exact gradient, repeated draws, memory, and test
figures and pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, log

from engine.forecast.beside import Beside, of_losses, of_method
from engine.forecast.costs import SEEN
from engine.forecast.quickest import quickest_for_tests
from engine.forecast.records import FLOAT_BYTES, Work
from engine.forecast.subject_cache import has_entries_of_steps
from engine.forecast.subjects import Subject
from engine.outer_loop.landscape import POINTS
from engine.spec import Experiment
from engine.spec.estimator import Estimator as Options
from engine.spec.estimators import Unrolled


@dataclass(frozen=True)
class Probing:
    """Of all probes of a run."""

    bytes: int = 0
    """The largest peak of one of them."""
    work: Work = field(default_factory=Work)

    def __add__(self, other: Probing) -> Probing:
        return Probing(max(self.bytes, other.bytes), self.work + other.work)


def probing(
    experiment: Experiment,
    options: Options,
    subject: Subject,
    *,
    peak: int,
    estimate: Work,
    estimates: int,
) -> Probing:
    """Of the estimator `options`, of which an outer step makes so many `estimates`, each with a
    peak of `peak` bytes; `estimate` is the work of them all."""
    found = _accuracy(experiment, options, subject, peak, estimate)
    if experiment.measures_memory:
        again = _seen(estimate * (1.0 / estimates))
        found += Probing(peak, again * _count(experiment))
    if experiment.probes.test:
        found += _tests(experiment, subject) + _landscape(experiment, options, subject)
    return found


def _seen(work: Work) -> Work:
    """`work` that the memory probe looks at."""
    return work.model_copy(update={"operations": SEEN * work.operations})


def _count(experiment: Experiment) -> int:
    return ceil(experiment.outer.steps / experiment.probes.every)


def _test_count(experiment: Experiment) -> int:
    """What is tested is so at every probe, and after the last outer step."""
    last = experiment.outer.steps - 1
    return _count(experiment) + int(last % experiment.probes.every > 0)


def _accuracy(
    experiment: Experiment, options: Options, subject: Subject, peak: int, estimate: Work
) -> Probing:
    """Estimates against the exact gradient."""
    probes, outer, count = experiment.probes, experiment.outer, _count(experiment)
    if not probes.oracle or options.proposes:
        return Probing()
    exact = _oracle(experiment, subject)
    loops = outer.meta_batch
    # A closed form may prepare something for every seed that it meets.
    met = loops * (count if outer.inner_seed == "fresh" else 1)
    work = exact.work(loops * count, met)
    if options.stochastic or options.partial:
        draws = probes.draws if options.stochastic else 1
        work += _draw(experiment, options, subject, estimate) * (draws * count)
        exact = Beside(max(exact.bytes, peak), exact.first, exact.each)
    if probes.smoothed_draws and options.smoothing is not None:
        work += exact.each * (loops * probes.smoothed_draws * count)
    return Probing(exact.bytes, work)


def _draw(experiment: Experiment, options: Options, subject: Subject, estimate: Work) -> Work:
    """A repeated estimate. That of an estimator by windows goes through all of them."""
    if not options.partial:
        return estimate
    steps = experiment.inner.steps
    whole = estimate * (steps / options.window)
    if options.kind != "evolution":
        return whole
    # In a run, groups of pairs are in different windows; here all pairs go together.
    windows, pairs = ceil(steps / options.window), options.particles // 2
    groups, fitting = min(pairs, windows), subject.fitting(options, subject.problem, steps)
    apart = groups * ceil(pairs / groups / fitting)
    calls = estimate.operations * windows * ceil(pairs / fitting) / apart
    return whole.model_copy(update={"operations": calls})


def _oracle(experiment: Experiment, subject: Subject) -> Beside:
    """One exact meta-gradient: in closed form, or by the adjoint with checkpoints."""
    if hasattr(subject.problem, "exact"):
        whole = has_entries_of_steps(experiment)
        return of_method(subject, "exact", steps=experiment.inner.steps, whole=whole)
    reached, work, _ = subject.needs(
        Unrolled(storage="checkpoint"), subject.problem,
        steps=experiment.inner.steps, objective=experiment.objective,
    )  # fmt: skip
    in_double = "float64" in (experiment.probes.oracle_precision, experiment.precision)
    wider = FLOAT_BYTES["float64" if in_double else "float32"] // FLOAT_BYTES[experiment.precision]
    # Numbers of twice the bytes take twice as long to move, and to compute with about as much.
    work = work.model_copy(
        update={"flops": work.flops * wider, "bytes_moved": work.bytes_moved * wider}
    )
    return Beside(reached.bytes * wider, work, work)


def _tests(experiment: Experiment, subject: Subject) -> Probing:
    """Test figures, and the pictures of the task and of the meta-parameters."""
    found, times = Probing(), _test_count(experiment)
    if subject.tensors == "fake":
        # Many particles or inner loops together may be what is large.
        subject = quickest_for_tests(experiment)
    for method in ("test_figures", "pictures"):
        one = of_method(subject, method, steps=experiment.inner.steps)
        found += Probing(one.bytes, one.work(times))
    return found


def _landscape(experiment: Experiment, options: Options, subject: Subject) -> Probing:
    """Proposals over the meta-loss.

    The surface is drawn anew when a proposal leaves its frame. Of proposals that are alike, the
    k-th goes further than all before it with probability 1/k: about 1 + ln k of them do.
    """
    looks = options.kind == "evolution" and not options.partial
    if subject.entries not in POINTS or not (options.proposes or looks):
        return Probing()
    times, steps = _test_count(experiment), experiment.inner.steps
    points = POINTS[subject.entries] ** subject.entries
    drawn = of_losses(subject, options, count=points, steps=steps)
    found = Probing(drawn.bytes, drawn.each * ((1.0 + log(times)) * experiment.outer.meta_batch))
    if looks:
        # Particles are evaluated again, for their losses, and θ with them.
        again = of_losses(subject, options, count=options.particles + 1, steps=steps)
        found += Probing(again.bytes, again.each * (times * experiment.outer.meta_batch))
    return found
