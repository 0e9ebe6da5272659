"""What planned runs are called in lists and figures: short, and never the same for two that differ.

A run is called by its estimator and the swept values that this does not tell. Where several runs
would be called alike, whatever else differs among them is told too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

LEFT_OUT = ("meta_parameters", "inner_task", "estimators")
"""First parts of a path that a reader can do without."""


def labels(specs: Mapping[str, tuple[Any, Mapping[str, Any]]]) -> dict[str, str]:
    """A label for each configuration of `specs`: its `Experiment` and its swept values by path."""
    alike: dict[str, list[str]] = defaultdict(list)
    for configuration, (spec, sweep) in specs.items():
        alike[_base(spec.estimators[0], sweep)].append(configuration)
    named: dict[str, str] = {}
    for base, configurations in alike.items():
        documents = {
            configuration: _flat(specs[configuration][0].model_dump(mode="json"))
            for configuration in configurations
        }
        told = _differing(documents.values())
        names = short_paths(told)
        for configuration, fields in documents.items():
            values = [f"{names[path]} = {fields[path]}" for path in told if path in fields]
            named[configuration] = ", ".join([base, *values])
    return {configuration: named[configuration] for configuration in specs}


def _base(estimator: Any, sweep: Mapping[str, Any]) -> str:
    """The estimator, and the swept values that are none of its fields."""
    names = short_paths(sweep)
    told = {f"estimators.{i}.{name}" for i in range(24) for name in type(estimator).model_fields}
    rest = [
        f"{names[path]} = {readable_value(value)}"
        for path, value in sweep.items()
        if path not in told
    ]
    return ", ".join([estimator.label, *rest])


def short_paths(paths: Iterable[str]) -> dict[str, str]:
    """`meta_parameters.0.granularity` as `granularity`, `inner.steps` as it is; in full where two
    would read alike."""
    paths = list(paths)
    short = {path: _short(path) for path in paths}
    names = list(short.values())
    return {path: name if names.count(name) == 1 else path for path, name in short.items()}


def readable_value(value: Any) -> str:
    """A value of a spec in words: `none`, `yes`, `0.01`, `[32, 32]`."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "[" + ", ".join(readable_value(item) for item in value) + "]"
    return str(value)


def _short(path: str) -> str:
    parts = [part for part in path.split(".") if not part.isdigit()]
    return ".".join(parts[1:] if parts[0] in LEFT_OUT else parts)


def _differing(documents: Iterable[Mapping[str, str]]) -> list[str]:
    """The paths in which `documents` differ, in their order; none for a single one."""
    documents = list(documents)
    paths = dict.fromkeys(path for fields in documents for path in fields)
    return [path for path in paths if len({fields.get(path) for fields in documents}) > 1]


def _flat(value: Any, path: str = "") -> dict[str, str]:
    """The values of a spec as words, by path; its name, seeds and sweep tell no run apart."""
    if isinstance(value, dict):
        children: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        children = enumerate(value)
    else:
        return {path: readable_value(value)}
    flat: dict[str, str] = {}
    for name, child in children:
        if path or name not in ("name", "seeds", "sweep"):
            flat |= _flat(child, f"{path}.{name}" if path else str(name))
    return flat
