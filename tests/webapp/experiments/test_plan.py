"""What will be launched: labels tell apart whatever differs, and the table lists all of it."""

from __future__ import annotations

import copy
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.presets import PRESETS
from engine.spec import PlannedRun, SpecError, expand, read_text, validate
from webapp.experiments.form import build_form
from webapp.experiments.form.nodes import Leaf
from webapp.experiments.plan import plan_of

DOCUMENTS = [read_text(preset.text).model_dump(mode="json") for preset in PRESETS]


@st.composite
def planned(draw: st.DrawFn) -> list[PlannedRun]:
    """Runs of a preset that varies up to three of its fields, whichever they are, with two of its
    estimators a second time, so that what is varied of one tells it from the other."""
    document = draw(st.sampled_from(DOCUMENTS)) | {"sweep": {}, "seeds": [0, 1]}
    twins = [copy.deepcopy(item) for item in document["estimators"]]
    document["estimators"] = document["estimators"] + draw(st.permutations(twins))[:2]
    leaves = [
        node
        for node in build_form(document).nodes()
        if isinstance(node, Leaf) and node.path not in ("name", "seeds")
    ]
    for leaf in draw(st.lists(st.sampled_from(leaves), max_size=3, unique_by=lambda n: n.path)):
        values = _values(leaf)
        swept = document["sweep"] | {leaf.path: values}
        try:
            expand(validate(document | {"sweep": swept}))
        except SpecError:
            continue
        document["sweep"] = swept
    return expand(validate(document))


def _values(leaf: Leaf) -> list[Any]:
    if leaf.control == "choice":
        return [value for value, _ in leaf.options]
    if leaf.control == "switch":
        return [True, False]
    if leaf.control == "integers":
        return [[8], [8, 8]]
    return [2, 4] if leaf.control == "integer" else [0.25, 0.2500001, 0.5]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(planned())
def test_runs_of_different_configurations_are_never_called_alike(runs: list[PlannedRun]) -> None:
    called = defaultdict(set)
    for run in runs:
        called[run.label].add(run.configuration)
    assert {label: len(found) for label, found in called.items() if len(found) > 1} == {}
    assert len(called) == len({run.configuration for run in runs}), "nor one thing in two ways"


LIKE: list[tuple[dict[str, Any], list[str]]] = [
    (
        {
            "estimators": [{"kind": "evolution", "particles": 4}],
            "sweep": {"estimators.0.chunk": [1, None]},
        },
        [
            "Evolution, 4 particles, σ = 0.01, chunk = 1",
            "Evolution, 4 particles, σ = 0.01, chunk = none",
        ],
    ),
    (
        {
            "estimators": [
                {"kind": "evolution", "particles": 4, "chunk": 1},
                {"kind": "evolution", "particles": 4},
            ]
        },
        [
            "Evolution, 4 particles, σ = 0.01, chunk = 1",
            "Evolution, 4 particles, σ = 0.01, chunk = none",
        ],
    ),
    (
        {"sweep": {"meta_parameters.0.initial": [0.1, 0.2]}},
        ["Unrolled, checkpoint, initial = 0.1", "Unrolled, checkpoint, initial = 0.2"],
    ),
]


@pytest.mark.parametrize(("changes", "labels"), LIKE, ids=[str(like[1])[:40] for like in LIKE])
def test_labels_tell_what_differs_and_no_more(changes, labels) -> None:
    assert [run.label for run in expand(validate(changes))] == labels


def test_the_table_has_a_row_a_configuration_and_a_column_a_varied_field() -> None:
    document = {
        "estimators": [{"kind": "unrolled"}, {"kind": "truncated", "window": 3}],
        "sweep": {"estimators.1.window": [1, 2], "inner.steps": [10, 20]},
        "seeds": list(range(8)),
    }
    plan = plan_of(expand(validate(document)), list(document["sweep"]))
    assert plan.swept == ("window", "inner.steps")
    assert plan.hidden == 0
    rows = {row.label: (row.values, row.seeds) for row in plan.rows}
    assert rows["Unrolled, checkpoint, inner.steps = 10"][0] == ("–", "10")
    assert rows["Truncated, last 2, inner.steps = 20"][0] == ("2", "20")
    assert rows["Unrolled, checkpoint, inner.steps = 10"][1] == "0, 1, 2, 3, 4, 5, … (8)"
    assert len(rows) == 6
