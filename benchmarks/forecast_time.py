"""How good forecasts of time are: presets run for a few outer steps, against what was said.

`python -m benchmarks.forecast_time [--seconds 4]` writes `docs/results/forecast-time.json`. Each
preset's first and last configuration runs for about that long. Seconds are those that the process
had on a CPU, so that what else the machine does is left out; from the run's start to its end, all
that it does. Said by the rates alone; after calibration by all the others, each left out in turn;
the same, of those alone whose preset has another configuration, as in a lab that has run it before;
by those of other presets; and after calibration by one half of them, over many halvings.
`--again` measures no run: it counts anew what the runs in the file computed, and scores that; with
`--rates` it measures the machine's rates anew, where a newer version measures them otherwise.
"""

import argparse
import gc
import math
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch

import engine
from engine.data import DataMissing
from engine.events import Finished, Started
from engine.forecast import Calibration
from engine.forecast.corrections import Observation, corrections_from, expected_ratio, group_of
from engine.forecast.forecasting import forecast
from engine.forecast.rates import measured_rates
from engine.forecast.records import Group, Machine, Record, Work
from engine.forecast.seconds import rated_seconds
from engine.forecast.subject_cache import forget
from engine.presets import PRESETS
from engine.spec import Experiment, PlannedRun, SpecError, expand, read_text

RESULTS = Path("docs/results/forecast-time.json")
FACTOR = 1.5
HALVINGS = 200
FEWEST_STEPS = 2


class Timed(Record):
    """One configuration: what it was said to do, and how long it took."""

    preset: str
    label: str
    inner_task: str
    problem: str = ""
    """A digest of the inner task with its options."""
    estimator: str
    precision: str
    outer_steps: int
    work: Work
    """Of all estimates and probes, as forecast."""
    seconds: float

    def ratio(self, machine: Machine) -> float:
        """Measured over what the rates of `machine` alone say."""
        return self.seconds / rated_seconds(self.work, machine, self.precision)

    @property
    def group(self) -> Group:
        return Group(inner_task=self.inner_task, problem=self.problem, estimator=self.estimator)

    def observation(self, machine: Machine) -> Observation:
        name = f"{self.preset} {self.label}"
        return Observation(self.group, name, math.log(self.ratio(machine)))


class Results(Record):
    machine: Machine
    runs: list[Timed]


Prediction = tuple[Timed, list[Timed]]
"""A run, and those that it is predicted from."""


@dataclass(frozen=True)
class Score:
    """Of a set of predictions."""

    within: float
    """Share that is within a factor of 1.5."""
    held: float
    """Share whose 90 % interval held."""
    median_factor: float
    """Of how far off they are, in either direction."""
    median_width: float
    """Of the intervals: upper end over lower."""


def configurations() -> Iterator[tuple[str, PlannedRun]]:
    """The first and the last configuration of every preset, with its slug."""
    for preset in PRESETS:
        planned = {run.configuration: run for run in expand(read_text(preset.text))}
        first, *_, last = [*planned.values()] * 2
        for run in {run.configuration: run for run in (first, last)}.values():
            yield preset.slug, run


def timed(preset: str, run: PlannedRun, machine: Machine, aim: float) -> Timed:
    """`run` for as many outer steps as are thought to take `aim` seconds."""
    calibration = Calibration(machine=machine)
    experiment = run.spec.model_copy(update={"device": "cpu"})
    [found] = forecast(experiment, calibration)
    if found.compiled:
        raise RuntimeError("its inner loop is compiled, whose times are not learned from")
    steps = max(FEWEST_STEPS, min(experiment.outer.steps, int(aim / found.step_seconds)))
    outer = experiment.outer.model_copy(update={"steps": steps})
    experiment = experiment.model_copy(update={"outer": outer})
    [found] = forecast(experiment, calibration)
    # A run has a process without traces of forecasts, through which Python would look for garbage.
    forget()
    gc.collect()
    for event in engine.run(experiment):
        match event:
            case Started():
                started = time.process_time()
            case Finished(status="failed", reason=reason):
                raise RuntimeError(reason)
    return Timed(
        preset=preset,
        label=run.label,
        **group_in(experiment).model_dump(),
        precision=experiment.precision,
        outer_steps=steps,
        work=found.run + found.probes,
        seconds=time.process_time() - started,
    )


def group_in(experiment: Experiment) -> Group:
    [estimator] = experiment.estimators
    return group_of(experiment.inner_task.model_dump(mode="json"), estimator.kind)


def counted_again(results: Results) -> Results:
    """The measured seconds with what is counted of their runs today; runs whose preset has changed
    are left out."""
    today = {(preset, run.label): run for preset, run in configurations()}
    runs = []
    for row in results.runs:
        if planned := today.get((row.preset, row.label)):
            outer = planned.spec.outer.model_copy(update={"steps": row.outer_steps})
            spec = planned.spec.model_copy(update={"device": "cpu", "outer": outer})
            [found] = forecast(spec)
            changes = {"work": found.run + found.probes, **group_in(spec).model_dump()}
            runs.append(row.model_copy(update=changes))
    return results.model_copy(update={"runs": runs})


def uncalibrated(runs: list[Timed]) -> list[Prediction]:
    return [(run, []) for run in runs]


def left_out(runs: list[Timed]) -> list[Prediction]:
    """Each predicted from all the others."""
    return [(run, [other for other in runs if other is not run]) for run in runs]


def siblings_known(runs: list[Timed]) -> list[Prediction]:
    """The same, of those whose preset has another configuration among them."""
    presets = [run.preset for run in runs]
    return [(run, known) for run, known in left_out(runs) if presets.count(run.preset) > 1]


def others_left_out(runs: list[Timed]) -> list[Prediction]:
    """Each predicted from those of all other presets: what is learned of a preset is not used."""
    return [(run, [other for other in runs if other.preset != run.preset]) for run in runs]


def halved(runs: list[Timed]) -> list[Prediction]:
    """One half predicted from the other, over many halvings."""
    source, found = random.Random(0), []  # noqa: S311
    for _ in range(HALVINGS):
        shuffled = source.sample(runs, len(runs))
        known = shuffled[: len(runs) // 2]
        found += [(run, known) for run in shuffled[len(runs) // 2 :]]
    return found


def score(predictions: list[Prediction], machine: Machine) -> Score:
    off, held, widths = [], [], []
    for run, known in predictions:
        corrections = corrections_from(other.observation(machine) for other in known)
        expected = expected_ratio(corrections, run.group)
        low, high = expected.interval()
        ratio = run.ratio(machine)
        off.append(math.exp(abs(math.log(ratio / expected.factor))))
        held.append(low <= ratio <= high)
        widths.append(high / low)
    return Score(
        within=sum(factor <= FACTOR for factor in off) / len(off),
        held=sum(held) / len(held),
        median_factor=median(off),
        median_width=median(widths),
    )


def scores(results: Results) -> Iterator[tuple[str, Score]]:
    """By what is predicted from what."""
    for name, predictions in (
        ("by the rates alone", uncalibrated(results.runs)),
        ("each by all others", left_out(results.runs)),
        ("each, its preset run before", siblings_known(results.runs)),
        ("each by the other presets", others_left_out(results.runs)),
        ("one half by the other", halved(results.runs)),
    ):
        yield name, score(predictions, results.machine)


def this_machine() -> Machine:
    rates = measured_rates(torch.device("cpu"))
    return Machine(name="here", device="cpu", memory_bytes=1e12, rates=rates)


def measure(aim: float) -> Results:
    machine = this_machine()
    results = Results(machine=machine, runs=[])
    for preset, planned in configurations():
        try:
            run = timed(preset, planned, machine, aim)
        except (DataMissing, RuntimeError, SpecError) as error:
            print(f"{preset}, {planned.label}: {error}", file=sys.stderr)
            continue
        results.runs.append(run)
        said = f"{run.seconds:7.2f} s {run.ratio(machine):6.2f}"
        print(f"{preset:42} {run.label[:44]:44} {said}", flush=True)
        RESULTS.write_text(results.model_dump_json(indent=1) + "\n")
    return results


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecast_time", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each run, about (4)")
    parser.add_argument("--again", action="store_true", help="score what was measured before")
    parser.add_argument("--rates", action="store_true", help="with them, the rates of this machine")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.again:
        results = counted_again(Results.model_validate_json(RESULTS.read_text()))
        if options.rates:
            results = results.model_copy(update={"machine": this_machine()})
        RESULTS.write_text(results.model_dump_json(indent=1) + "\n")
    else:
        results = measure(options.seconds)
    for name, found in scores(results):
        print(
            f"{name:28} within 1.5 ×: {found.within:4.0%}   intervals held: {found.held:4.0%}   "
            f"median factor {found.median_factor:.2f}   median width {found.median_width:.1f}"
        )


if __name__ == "__main__":
    main()
