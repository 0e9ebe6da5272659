"""Which estimators and searches can learn which meta-parameters of which inner tasks.

Nothing is written down here: each answer is that of the compatibility rules to a small experiment
of one inner task, one meta-parameter and one estimator, made of what these say is `small` (see
`engine.spec.options.Part`). Free of torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

from engine.spec import FieldError, SpecError, validate
from engine.spec.installed import ESTIMATORS, INNER_TASKS, META_PARAMETERS
from engine.spec.options import Part

AROUND = {
    "inner": {"steps": 4, "optimizer": {"kind": "sgd"}},
    "outer": {"steps": 1},
    "probes": {"oracle": False},
    "precision": "float64",
    "device": "cpu",
}
"""What every small experiment says."""


@dataclass(frozen=True)
class Support:
    """Whether an estimator can learn a meta-parameter of an inner task, all three by kind."""

    inner_task: str
    meta_parameter: str
    estimator: str
    document: dict[str, Any]
    """The small experiment that was asked for."""
    reasons: tuple[str, ...] = ()
    """Why it is refused; empty where it is allowed."""
    whole_row: bool = False
    """Whether the inner task cannot learn the meta-parameter with any estimator."""

    @property
    def allowed(self) -> bool:
        return not self.reasons


@cache
def support_matrix() -> tuple[Support, ...]:
    """Every inner task with every meta-parameter with every estimator and search."""
    return tuple(
        support(task, meta_parameter, estimator)
        for task, meta_parameter, estimator in product(INNER_TASKS, META_PARAMETERS, ESTIMATORS)
    )


def support(inner_task: str, meta_parameter: str, estimator: str) -> Support:
    """Whether they can work together: in one of the surroundings that they say they may need."""
    refused: list[Support] = []
    for document in _documents(inner_task, meta_parameter, estimator):
        try:
            validate(document)
        except SpecError as error:
            of_the_estimator = [one for one in error.errors if one.path.startswith("estimators.")]
            others = [one for one in error.errors if one not in of_the_estimator]
            reasons = tuple(dict.fromkeys(one.message for one in others or of_the_estimator))
            refused.append(
                Support(
                    inner_task, meta_parameter, estimator, document, reasons, whole_row=bool(others)
                )
            )
        else:
            return Support(inner_task, meta_parameter, estimator, document)
    # The reason to read is that of the surroundings which come closest.
    return min(refused, key=lambda one: (one.whole_row, len(one.reasons)))


def _documents(inner_task: str, meta_parameter: str, estimator: str) -> Iterator[dict[str, Any]]:
    parts = INNER_TASKS[inner_task], META_PARAMETERS[meta_parameter], ESTIMATORS[estimator]
    task, learned, method = map(_small, parts)
    document = {"inner_task": task, "meta_parameters": [learned], "estimators": [method]}
    for surroundings in product(*(part.surroundings for part in parts)):
        merged = {**AROUND, **document}
        for around in surroundings:
            merged = _merged(merged, around)
        shortest = merged["inner"]["steps"]
        lengths = {name: min(method[name], shortest) for name in _lengths(method)}
        yield {**merged, "estimators": [{**method, **lengths}]}


def _lengths(method: dict[str, Any]) -> Iterator[str]:
    """The small options that count inner steps: no inner loop is too short for them."""
    return (name for name in ESTIMATORS[method["kind"]].lengths if name in method)


def _small(part: type[Part]) -> dict[str, Any]:
    return {"kind": part.model_fields["kind"].default, **part.small}


def _merged(document: Any, more: dict[str, Any]) -> dict[str, Any]:
    """`document` with the fields of `more`; lists are lengthened, and mappings merged."""
    merged = dict(document)
    for name, value in more.items():
        before = merged.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            value = _merged(before, value)
        elif isinstance(value, list) and isinstance(before, list):
            value = [*before, *value]
        merged[name] = value
    return merged


def obstacles(document: dict[str, Any], place: str, kinds: Iterable[str]) -> dict[str, str]:
    """Which of `kinds` cannot stand at `place` of `document` beside the rest of it, and why.

    `place` is that of a part that there is (`inner_task`, `estimators.1`) or a list to which one
    is added (`estimators`). Each kind comes with its default options; what these refuse of
    themselves, such as a window longer than the horizon, can be set right and is no obstacle.
    """
    before = {error.message for error in _refusals(document)}
    found = {}
    for kind in kinds:
        changed, path = _with(document, place, {"kind": kind})
        for error in _refusals(changed):
            of_its_options = error.path.startswith(f"{path}.") and error.path != f"{path}.kind"
            if error.message not in before and not of_its_options:
                found[kind] = error.message
                break
    return found


def _refusals(document: dict[str, Any]) -> list[FieldError]:
    try:
        validate(document)
    except SpecError as error:
        return error.errors
    return []


def _with(document: Any, place: str, part: dict[str, Any]) -> tuple[Any, str]:
    """A copy of `document` with `part` at `place`, and where it is then."""
    name, _, rest = place.partition(".")
    if isinstance(document, list):
        index = int(name)
        inner, path = _with(document[index], rest, part) if rest else (part, "")
        copy: Any = [*document[:index], inner, *document[index + 1 :]]
    else:
        there = document.get(name)
        if rest:
            inner, path = _with({} if there is None else there, rest, part)
        elif isinstance(there, list):
            inner, path = [*there, part], str(len(there))
        else:
            inner, path = part, ""
        copy = {**document, name: inner}
    return copy, f"{name}.{path}" if path else name
