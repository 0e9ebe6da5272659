"""How good forecasts of time are: presets run for a few outer steps, against what was said.

`python -m benchmarks.forecast_time [--seconds 4] [--out FILE]`. Each preset's first and last
configuration runs for about that long. Seconds are those that the process had on a CPU, so that
what else the machine does is left out; from the run's start to its end, all that it does.
Written down: by the rates alone; after calibration by all the others (each left out in turn); and
after calibration by one half of them, over many halvings.
"""

import argparse
import json
import math
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import torch

import engine
from engine.data import DataMissing
from engine.events import Finished, Started
from engine.forecast import Calibration
from engine.forecast.corrections import Observation, corrections_from, outlook
from engine.forecast.forecasting import forecast
from engine.forecast.rates import measured_rates
from engine.forecast.records import Machine
from engine.forecast.seconds import rated_seconds
from engine.presets import PRESETS
from engine.spec import PlannedRun, expand, read_text

FACTOR = 1.5
HALVINGS = 200
FEWEST_STEPS = 2


@dataclass(frozen=True)
class Timed:
    """One configuration: what its work takes by the rates alone, and what it took."""

    preset: str
    label: str
    inner_task: str
    estimator: str
    outer_steps: int
    rated_seconds: float
    measured_seconds: float
    forecast_seconds: float
    """How long the forecast itself took."""

    @property
    def observation(self) -> Observation:
        ratio = math.log(self.measured_seconds / self.rated_seconds)
        name = f"{self.preset} {self.label}"
        return Observation(self.inner_task, self.estimator, name, ratio)


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
    steps = max(FEWEST_STEPS, min(experiment.outer.steps, int(aim / found.step_seconds)))
    outer = experiment.outer.model_copy(update={"steps": steps})
    experiment = experiment.model_copy(update={"outer": outer})
    started = time.process_time()
    [found] = forecast(experiment, calibration)
    answered = time.process_time() - started
    rated = sum(
        rated_seconds(work, machine, experiment.precision) for work in (found.run, found.probes)
    )
    for event in engine.run(experiment):
        match event:
            case Started():
                started = time.process_time()
            case Finished(status="failed", reason=reason):
                raise RuntimeError(reason)
    return Timed(
        preset=preset,
        label=run.label,
        inner_task=experiment.inner_task.kind,
        estimator=experiment.estimators[0].kind,
        outer_steps=steps,
        rated_seconds=rated,
        measured_seconds=time.process_time() - started,
        forecast_seconds=answered,
    )


def left_out(runs: list[Timed]) -> Score:
    """Each predicted by all runs of other configurations."""
    return _score([(run, [other for other in runs if other is not run]) for run in runs])


def halved(runs: list[Timed]) -> Score:
    """One half predicted by the other, over many halvings."""
    source, pairs = random.Random(0), []  # noqa: S311
    for _ in range(HALVINGS):
        shuffled = source.sample(runs, len(runs))
        known = shuffled[: len(runs) // 2]
        pairs += [(run, known) for run in shuffled[len(runs) // 2 :]]
    return _score(pairs)


def uncalibrated(runs: list[Timed]) -> Score:
    return _score([(run, []) for run in runs])


def _score(pairs: list[tuple[Timed, list[Timed]]]) -> Score:
    off, held, widths = [], [], []
    for run, known in pairs:
        corrections = corrections_from(other.observation for other in known)
        expected = outlook(corrections, run.inner_task, run.estimator)
        low, high = expected.interval()
        ratio = run.measured_seconds / run.rated_seconds
        off.append(math.exp(abs(math.log(ratio / expected.factor))))
        held.append(low <= ratio <= high)
        widths.append(high / low)
    return Score(
        within=sum(factor <= FACTOR for factor in off) / len(off),
        held=sum(held) / len(held),
        median_factor=median(off),
        median_width=median(widths),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecast_time", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each run, about (4)")
    parser.add_argument("--out", type=Path, help="keep every run there, as JSON")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rates = measured_rates(torch.device("cpu"))
    machine = Machine(name="here", device="cpu", memory_bytes=1e12, rates=rates)
    runs: list[Timed] = []
    for preset, planned in configurations():
        try:
            run = timed(preset, planned, machine, options.seconds)
        except (DataMissing, RuntimeError) as error:
            print(f"{preset}, {planned.label}: {error}", file=sys.stderr)
            continue
        runs.append(run)
        ratio = run.measured_seconds / run.rated_seconds
        print(
            f"{preset:42} {run.label[:44]:44} {run.measured_seconds:7.2f} s {ratio:6.2f}",
            flush=True,
        )
        if options.out:
            document = {"rates": rates.model_dump(), "runs": [asdict(run) for run in runs]}
            options.out.write_text(json.dumps(document, indent=1))
    for name, score in (
        ("by the rates alone", uncalibrated(runs)),
        ("each by all others", left_out(runs)),
        ("one half by the other", halved(runs)),
    ):
        print(
            f"{name:24} within 1.5 ×: {score.within:4.0%}   intervals held: {score.held:4.0%}   "
            f"median factor {score.median_factor:.2f}   median width {score.median_width:.1f}"
        )


if __name__ == "__main__":
    main()
