"""A fair comparison: every case in turn, many times, each time against the baseline beside it.

A shared machine's speed drifts; a ratio taken within one round drifts little. The figure of a case
is the median over the rounds of its ratio to the baseline, with the quartiles. Seconds are those
that the process had on a CPU, all its threads together: what else runs on the machine is left out.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median, quantiles

import torch

from engine.probes.memory import PeakBytes


@dataclass(frozen=True)
class Case:
    """Something to time; `run` does `steps` inner steps' worth of work."""

    label: str
    run: Callable[[], object]
    steps: int


@dataclass(frozen=True)
class Timing:
    """What a case took. Ratios are to the first case, for the same number of inner steps."""

    group: str
    label: str
    microseconds_per_step: float
    ratio: float
    ratio_quartiles: tuple[float, float]
    peak_bytes: int | None = None
    """Peak of live torch tensors in one call; nothing where it was not measured."""

    def as_dict(self) -> dict:
        return asdict(self)


def compare(group: str, cases: list[Case], *, rounds: int, memory: bool = False) -> list[Timing]:
    """Time `cases` in turn, `rounds` (at least 2) times, after one round that is not counted.

    With `memory`, each runs once more for its peak bytes.
    """
    taken: dict[str, list[float]] = {case.label: [] for case in cases}
    for counted in [False, *[True] * rounds]:
        for case in cases:
            started = time.process_time()
            case.run()
            seconds = (time.process_time() - started) / case.steps
            if counted:
                taken[case.label].append(seconds)
    baseline = taken[cases[0].label]
    peaks = {case.label: _peak_bytes(case) for case in cases} if memory else {}
    return [
        _timing(group, label, seconds, baseline, peaks.get(label))
        for label, seconds in taken.items()
    ]


def _peak_bytes(case: Case) -> int | None:
    """Nothing where the case makes no torch tensors to speak of, as another framework's."""
    with PeakBytes(torch.device("cpu")) as peak:
        case.run()
    return peak.bytes or None


def _timing(
    group: str, label: str, seconds: list[float], baseline: list[float], peak: int | None
) -> Timing:
    ratios = [mine / plain for mine, plain in zip(seconds, baseline, strict=True)]
    lower, _, upper = quantiles(ratios, n=4, method="inclusive")
    return Timing(group, label, median(seconds) * 1e6, median(ratios), (lower, upper), peak)


def table(timings: list[Timing]) -> str:
    """The timings as text, a line a case, grouped."""
    lines, group = [], None
    for timing in timings:
        if timing.group != group:
            group = timing.group
            lines += ["", f"{group:<62}{'µs a step':>12}{'ratio':>9}   quartiles     peak MB"]
        lower, upper = timing.ratio_quartiles
        peak = f"{timing.peak_bytes / 1e6:>10,.1f}" if timing.peak_bytes else ""
        lines.append(
            f"  {timing.label:<60}{_three_digits(timing.microseconds_per_step):>12}"
            f"{timing.ratio:>9.2f}"
            f"   {lower:.2f} – {upper:.2f}{peak}"
        )
    return "\n".join(lines[1:])


def _three_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
