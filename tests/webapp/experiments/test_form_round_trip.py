"""A document shown in the form and read back from its controls is the same document."""

from __future__ import annotations

from typing import Any

import pytest
from django.template.loader import render_to_string
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.presets import PRESETS
from engine.spec import Experiment, read_text
from tests.webapp.experiments.documents import documents
from tests.webapp.experiments.form_fields import fields_of
from webapp.experiments.form import build_form, parse_form, restructure, sweep_text


def posted_by(document: dict[str, Any]) -> dict[str, list[str]]:
    """What a browser posts that shows `document` in the builder's real templates."""
    form = build_form(document)
    steps = "".join(
        render_to_string("experiments/step.html", {"step": step}) for step in form.steps
    )
    posted = fields_of(f'<form id="builder-form">{steps}</form>')
    return {**posted, "name": [form.name.value]}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents())
def test_a_valid_document_survives_the_form(document: dict[str, Any]) -> None:
    parsed = parse_form(posted_by(document))
    assert not parsed.errors
    assert parsed.document == document


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.slug)
def test_every_preset_survives_the_form(preset) -> None:
    document = read_text(preset.text).model_dump(mode="json")
    assert parse_form(posted_by(document)).document == document


def test_every_field_of_the_spec_has_a_control() -> None:
    shown = {node.path.split(".")[0] for node in build_form({}).nodes()}
    assert shown == set(Experiment.model_fields)


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=20),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(JSON_VALUES, min_size=1, max_size=4))
def test_swept_values_survive_their_line_of_text(values: list[Any]) -> None:
    assert sweep_text.parsed(sweep_text.shown(values)) == values


def test_what_does_not_parse_is_kept_as_it_was_written() -> None:
    parsed = parse_form(
        {
            "inner.steps": ["forty"],
            "seeds": ["0, one, 2"],
            "probes.oracle": ["false", "true"],
            "inner_task.kind": ["image_mlp"],
            "inner_task.batch_size": [" "],
            "estimators.0.kind": ["truncated"],
            "estimators.0.bogus": ["5"],
        }
    )
    assert parsed.document["inner"] == {"steps": "forty"}
    assert parsed.document["seeds"] == [0, "one", 2]
    assert parsed.document["probes"] == {"oracle": True}
    assert parsed.document["inner_task"] == {"kind": "image_mlp", "batch_size": None}
    assert parsed.document["estimators"] == [{"kind": "truncated", "bogus": "5"}]


def test_replacing_a_kind_drops_what_the_new_kind_does_not_have() -> None:
    posted = {"estimators.0.kind": ["evolution"], "estimators.0.segment": ["5"]}
    parsed = parse_form(posted, keep_unknown=False)
    assert parsed.document["estimators"] == [{"kind": "evolution"}]


def test_a_field_that_two_kinds_share_begins_anew_where_its_value_does_not_fit() -> None:
    document = {
        "estimators": [{"kind": "evolution", "mode": "last_k", "window": 5, "chunk": 4}],
        "inner": {"optimizer": {"kind": "adam", "learning_rate": -1.0, "beta1": 0.5}},
    }
    restructure(document, "kind:estimators.0")
    restructure(document, "kind:inner.optimizer")
    restructure(document, "kind:inner.bogus")
    assert document == {
        "estimators": [{"kind": "evolution", "chunk": 4}],
        "inner": {"optimizer": {"kind": "adam", "beta1": 0.5}},
    }


def test_an_item_is_added_duplicated_and_removed() -> None:
    document = {"estimators": [{"kind": "unrolled"}], "sweep": {"threads": [1, 2]}}
    restructure(document, "add:estimators:truncated")
    assert [item["kind"] for item in document["estimators"]] == ["unrolled", "truncated"]
    restructure(document, "duplicate:estimators:0")
    assert [item["kind"] for item in document["estimators"]] == [
        "unrolled",
        "unrolled",
        "truncated",
    ]
    restructure(document, "remove:estimators:2")
    restructure(document, "remove:sweep:0")
    assert document == {"estimators": [{"kind": "unrolled"}, {"kind": "unrolled"}], "sweep": {}}


@pytest.mark.parametrize(
    "action",
    ["", "add", "add:estimators:bogus", "remove:estimators:9", "remove:name:0", "x:y:z", "add::"],
)
def test_an_action_that_does_not_fit_changes_nothing(action: str) -> None:
    document = {"estimators": [{"kind": "unrolled"}], "name": "kept"}
    restructure(document, action)
    assert document == {"estimators": [{"kind": "unrolled"}], "name": "kept"}
