"""Presets as cards: what each compares, counted and drawn from its spec, and what it gave last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from engine.presets import Preset, presets_by_topic
from engine.spec import Experiment as Spec
from engine.spec import expand, read_text
from webapp.experiments.selectors import visible_experiments
from webapp.experiments.sparklines import Sparkline, sparkline
from webapp.runs.models import Run, Status
from webapp.runs.selectors import series, visible_runs

if TYPE_CHECKING:
    from engine.spec.estimator import Estimator
    from webapp.accounts.models import User

MOST_LINES = 6
WIDTH, MARGIN, BETWEEN = 96.0, 4.0, 7.0


@dataclass(frozen=True)
class Reach:
    """The inner steps that one estimator sees, of the horizon: a line in a drawing."""

    start: float
    end: float
    y: float
    cuts: tuple[float, ...] = ()
    """Where windows meet, and the meta-gradient is cut."""


@dataclass(frozen=True)
class Card:
    preset: Preset
    runs: int
    horizon: str
    reaches: tuple[Reach, ...]

    @property
    def height(self) -> float:
        return 2 * MARGIN + BETWEEN * (len(self.reaches) - 1)

    @property
    def words(self) -> str:
        """What the search looks through."""
        preset = self.preset
        return f"{preset.title} {preset.question} {preset.topic} {preset.slug}".lower()


@cache
def cards_by_topic() -> dict[str, list[Card]]:
    return {
        topic: [card_of(preset) for preset in presets]
        for topic, presets in presets_by_topic().items()
    }


def card_of(preset: Preset) -> Card:
    runs = expand(read_text(preset.text))
    horizons = sorted({run.spec.inner.steps for run in runs})
    steps = " to ".join(f"{steps:,}" for steps in dict.fromkeys([horizons[0], horizons[-1]]))
    unit = "step" if horizons[-1] == 1 else "steps"
    return Card(
        preset, len(runs), f"{steps} inner {unit}", tuple(_reaches(run.spec for run in runs))
    )


def _reaches(specs: Iterable[Spec]) -> list[Reach]:
    """One line for every way to see the inner loop, in the order of the runs."""
    seen = dict.fromkeys(_reach(spec.estimators[0], spec.inner.steps) for spec in specs)
    return [
        Reach(_x(start), _x(end), MARGIN + BETWEEN * row, tuple(_x(cut) for cut in cuts))
        for row, (start, end, cuts) in enumerate(list(seen)[:MOST_LINES])
    ]


def _reach(estimator: Estimator, horizon: int) -> tuple[float, float, tuple[float, ...]]:
    """Shares of the horizon: the first step that the estimator sees, the last, the cuts between."""
    if estimator.needs_stationary_point:
        return 1.0, 1.0, ()
    window = getattr(estimator, "window", None)
    if window is None or window >= horizon:
        return 0.0, 1.0, ()
    if estimator.partial:
        cuts = tuple(step / horizon for step in range(window, horizon, window))
        return 0.0, 1.0, cuts if len(cuts) < 12 else cuts[:: len(cuts) // 8]
    return 1.0 - window / horizon, 1.0, ()


def _x(share: float) -> float:
    return round(MARGIN + share * (WIDTH - 2 * MARGIN), 1)


def last_results(user: User) -> dict[str, tuple[int, Sparkline]]:
    """By preset, the newest experiment that finished, and its meta-losses drawn small."""
    finished = visible_runs(user).filter(status=Status.FINISHED).exclude(experiment__preset="")
    newest = (
        finished.order_by("experiment__preset", "-experiment_id")
        .distinct("experiment__preset")
        .values_list("experiment_id", flat=True)
    )
    experiments = visible_experiments(user).in_bulk(list(newest))
    runs_of: dict[int, list[Run]] = {pk: [] for pk in experiments}
    for run in finished.filter(experiment_id__in=experiments).order_by("number"):
        if len(runs_of[run.experiment_id]) < MOST_LINES:
            runs_of[run.experiment_id].append(run)
    losses = series({run.pk for runs in runs_of.values() for run in runs}, names=["meta_loss"])
    return {
        experiment.preset: (pk, sparkline(runs_of[pk], losses))
        for pk, experiment in experiments.items()
    }
