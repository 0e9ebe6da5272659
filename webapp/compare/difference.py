"""What differs between specs, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from engine.spec import Experiment, SpecError, validate

NOT_A_DIFFERENCE = ("name", "seeds")
ABSENT = "–"


@dataclass(frozen=True)
class Difference:
    """One field, by its dotted path, and its value in each of the specs."""

    path: str
    values: tuple[str, ...]


def differences(
    specs: Iterable[dict[str, Any]], leave_out: tuple[str, ...] = NOT_A_DIFFERENCE
) -> list[Difference]:
    """The fields in which `specs` differ, in the order of the first spec that has them."""
    specs = list(specs)
    flat = [
        {path: _text(value) for path, value in leaves(spec, leave_out).items()} for spec in specs
    ]
    single = all(len(spec.get("estimators", ())) < 2 for spec in specs)
    paths = dict.fromkeys(path for fields in flat for path in fields)
    found = []
    for path in paths:
        values = tuple(fields.get(path, ABSENT) for fields in flat)
        if len(set(values)) > 1:
            found.append(Difference(_readable(path) if single else path, values))
    return found


def telling_differences(specs: Iterable[dict[str, Any]]) -> list[Difference]:
    """Those of the runs with `specs` that somebody chose: another kind of estimator has other
    options, and of those that are at their defaults there is nothing to compare."""
    specs = list(specs)
    chosen = set[str]().union(*(_chosen(spec) for spec in specs))
    return [item for item in differences(specs) if ABSENT not in item.values or item.path in chosen]


def _chosen(spec: dict[str, Any]) -> set[str]:
    """The fields of a run's `spec` that are not at their defaults, by their readable paths."""
    try:
        experiment = validate(spec)
    except SpecError:  # the package of its inner task may be gone
        return {_readable(path) for path in leaves(spec)}
    return {
        _readable(path)
        for path, value in leaves(spec).items()
        if not _is_default(experiment, path, value)
    }


def _is_default(experiment: Experiment, path: str, value: Any) -> bool:
    part: Any = experiment
    *way, name = path.split(".")
    for step in way:
        part = part[int(step)] if isinstance(part, list) else getattr(part, step, None)
    info = type(part).model_fields.get(name) if isinstance(part, BaseModel) else None
    return info is not None and info.get_default(call_default_factory=True) == value


def leaves(spec: dict[str, Any], leave_out: tuple[str, ...] = NOT_A_DIFFERENCE) -> dict[str, Any]:
    """The fields of `spec` by dotted path, without those of `leave_out`."""
    return _flatten({name: value for name, value in spec.items() if name not in leave_out})


def _flatten(value: Any, path: str = "") -> dict[str, Any]:
    """Scalars by dotted path; a list of scalars is one value, a list of mappings is entered, and an
    empty mapping, such as a sweep over nothing, has no field."""
    if isinstance(value, dict):
        children: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        children = enumerate(value)
    else:
        return {path: value}
    flat: dict[str, Any] = {}
    for name, child in children:
        flat |= _flatten(child, f"{path}.{name}" if path else str(name))
    return flat


def _readable(path: str) -> str:
    """`path` without the index, where a spec has one estimator, as a run's has."""
    return path.replace("estimators.0.", "estimator.")


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, list):
        return "[" + ", ".join(_text(item) for item in value) + "]"
    return str(value)
