"""Keeps what a query needs to find runs by any field of their spec, without reading the specs.

A field is called by its dotted path. A run has one estimator, so `estimators.0.window` is called
`estimator.window`; the entries of other lists are not told apart: `meta_parameters.kind` has the
kinds of all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from webapp.runs import table_models

NOT_OF_A_RUN = ("name", "seeds", "sweep")
"""Fields of the spec that do not tell configurations apart, or that no run has."""
LONGEST = 200
_BATCH = 2000

Value = tuple[str, str, float | None]
"""A leaf of a spec as it is kept: path, the text that a query writes, and the number if it is one.
"""


def remember(specs: Mapping[str, dict[str, Any]], models: Any = table_models) -> None:
    """Keep the values of `specs`, by configuration; those of a known one are kept already.

    Call it in the transaction that creates the runs. A handful of queries for a few hundred
    configurations. `models` has `SpecValue` and `KnownConfiguration`: a migration has its own.
    """
    known = models.KnownConfiguration.objects.filter(digest__in=list(specs))
    missing = specs.keys() - set(known.values_list("digest", flat=True))
    found = {digest: {value_of(*leaf) for leaf in leaves(specs[digest])} for digest in missing}
    id_of = _ids({value for values in found.values() for value in values}, models)
    models.KnownConfiguration.objects.bulk_create(
        (
            models.KnownConfiguration(
                digest=digest, values=sorted(id_of[value[:2]] for value in values)
            )
            for digest, values in sorted(found.items())
        ),
        ignore_conflicts=True,
        batch_size=_BATCH,
    )


def leaves(spec: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The values of a run's spec with their paths."""
    for name, value in spec.items():
        if name not in NOT_OF_A_RUN:
            yield from _leaves("estimator" if name == "estimators" else name, value)


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _leaves(f"{path}.{name}", child)
    elif isinstance(value, list):
        for child in value:
            yield from _leaves(path, child)
    else:
        yield path, value


def value_of(path: str, value: Any) -> Value:
    if value is None:
        return path, "none", None
    if isinstance(value, bool):
        return path, "yes" if value else "no", None
    if isinstance(value, int | float):
        return path, repr(float(value)).removesuffix(".0"), float(value)
    return path, str(value)[:LONGEST], None


def _ids(values: Iterable[Value], models: Any) -> dict[tuple[str, str], int]:
    """The id of each value by path and text; what is missing is made."""
    wanted = {value[:2]: value for value in values}

    def known() -> dict[tuple[str, str], int]:
        rows = models.SpecValue.objects.filter(path__in={path for path, _ in wanted})
        return {(path, text): pk for pk, path, text in rows.values_list("pk", "path", "text")}

    id_of = known()
    missing = sorted(wanted.keys() - id_of.keys())
    if not missing:
        return id_of
    rows = (
        models.SpecValue(path=path, text=text, number=wanted[path, text][2])
        for path, text in missing
    )
    # Another launch may have been faster; sorted, so that the two never wait for each other.
    models.SpecValue.objects.bulk_create(rows, ignore_conflicts=True, batch_size=_BATCH)
    return known()
