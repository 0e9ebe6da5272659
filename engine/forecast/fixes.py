"""What to change of a spec that does not fit a machine, and what each change costs. Free of torch.

Every fix is an edit that the spec's rules allow, and is forecast again as the original was. They
come in a stated order: those that fit before those that fit tightly; what leaves the estimate as
it is, then what adds variance, then bias, then what asks another question; the faster before the
slower, and the smaller before the larger.
"""

from __future__ import annotations

from typing import Any

from engine.forecast.fit import Fit, fit, readable
from engine.forecast.largest import Forecaster, largest_that_fits, sizes, with_size
from engine.forecast.records import EstimatorForecast, Machine, Record
from engine.forecast.remedies import PRICES, REMEDIES, Edits, Price, Remedy
from engine.spec.editing import edited, value_at
from engine.spec.errors import SpecError
from engine.spec.experiment import Experiment
from engine.spec.validation import validate


class Fix(Record):
    """A change of the spec, and what it costs."""

    name: str
    """`checkpointed storage`, `window 50`."""
    edits: Edits
    """Dotted paths of the spec, with their new values; an estimator that is replaced has its
    whole options."""
    price: Price
    because: str
    """What the price is, in words."""
    forecast: EstimatorForecast
    fit: Fit
    time_ratio: float | None
    """Seconds of an outer step, to those before; nothing where either is not forecast."""

    @property
    def sentence(self) -> str:
        """`checkpointed storage: 0.4 GB, 1.3× time`."""
        parts = [readable(self.forecast.run_bytes)]
        if self.time_ratio is not None:
            parts.append(f"{self.time_ratio:.1f}× time")
        if self.price != "exact":
            parts.append(self.because)
        tight = " (tight)" if self.fit.verdict == "tight" else ""
        return f"{self.name}: {', '.join(parts)}{tight}"


def fixes(
    experiment: Experiment,
    found: EstimatorForecast,
    forecast: Forecaster,
    machine: Machine,
    position: int = 0,
) -> list[Fix]:
    """What makes the estimator at `position` of `experiment` fit `machine`, best first; nothing
    where it fits already.

    `found` is the forecast of this estimator, and `forecast` is asked for each change of it: with
    an experiment that has no other estimator, and no sweep.
    """
    budget = experiment.budget.bytes
    if fit(found, machine, budget).verdict == "fits":
        return []
    single = experiment.model_copy(
        update={"estimators": [experiment.estimators[position]], "sweep": {}}
    )
    tried = (_tried(remedy, single, found, forecast, machine) for remedy in REMEDIES)
    several = [fix for fix in tried if fix is not None and fix.fit.verdict != "will not fit"]
    return [_at(fix, position) for fix in sorted(several, key=_rank)]


def _rank(fix: Fix) -> tuple:
    """The order of the module's docstring; a time that is not known stands last."""
    time = float("inf") if fix.time_ratio is None else fix.time_ratio
    tight = fix.fit.verdict == "tight"
    return tight, PRICES.index(fix.price), time, fix.forecast.run_bytes


def _tried(
    remedy: Remedy,
    single: Experiment,
    found: EstimatorForecast,
    forecast: Forecaster,
    machine: Machine,
) -> Fix | None:
    """`remedy` as a fix, whether it fits or not; nothing where it has no place, or where what it
    makes of the spec cannot be forecast."""
    edits = remedy.edits(single, found)
    value, before = None, None
    try:
        if edits is not None and remedy.size is not None:
            before = _size(remedy, single)
            edits, value = _sized(remedy, single, edits, forecast, machine)
        changed = None if edits is None else _validated(single, edits)
        if edits is None or changed is None:
            return None
        again = forecast(changed)
    except (RuntimeError, TypeError, ValueError):
        return None
    ratio = None
    if again.step_seconds is not None and found.step_seconds:
        ratio = again.step_seconds / found.step_seconds
    return Fix(
        name=remedy.name.format(value=value),
        edits=edits,
        price=remedy.price,
        because=remedy.because.format(ratio=before / value if before and value else 1.0),
        forecast=again,
        fit=fit(again, machine, single.budget.bytes),
        time_ratio=ratio,
    )


def _validated(single: Experiment, edits: Edits) -> Experiment | None:
    """Nothing where the spec's rules refuse the edits."""
    try:
        return validate(edited(single.model_dump(mode="json"), edits))
    except SpecError:
        return None


def _size(remedy: Remedy, single: Experiment) -> int | None:
    """What the number is now that `remedy` makes as large as fits."""
    return next(
        (
            value_at(single.model_dump(mode="json"), size.path)
            for size in sizes(single)
            if size.path == remedy.size
        ),
        None,
    )


def _sized(
    remedy: Remedy, single: Experiment, edits: Edits, forecast: Forecaster, machine: Machine
) -> tuple[Edits | None, int | None]:
    """`edits` with the largest size that fits, and that size; nothing where none does, or where
    it is the one that there is."""
    changed = _validated(single, edits)
    size = None
    if changed is not None:
        size = next((size for size in sizes(changed) if size.path == remedy.size), None)
    if changed is None or size is None:
        return None, None
    now = value_at(changed.model_dump(mode="json"), size.path)
    bounded = size._replace(most=min(now, remedy.most or now))
    value = largest_that_fits(changed, bounded, forecast, machine)
    if value is None or (value == now and not edits):
        return None, None
    for path, number in with_size(changed, size.path, value).items():
        edits = _put(edits, path, number)
    return edits, value


def _put(edits: Edits, path: str, value: Any) -> Edits:
    """`edits` with `value` at `path`, inside the options of an estimator that is replaced."""
    whole, _, name = path.rpartition(".")
    if whole in edits:
        return {**edits, whole: {**edits[whole], name: value}}
    return {**edits, path: value}


def _at(fix: Fix, position: int) -> Fix:
    """`fix` with the paths of the whole spec."""
    edits = {
        f"estimators.{position}{path.removeprefix('estimators.0')}"
        if path.startswith("estimators.0")
        else path: value
        for path, value in fix.edits.items()
    }
    return fix.model_copy(update={"edits": edits})
