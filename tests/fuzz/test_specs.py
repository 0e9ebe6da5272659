"""No text and no document does anything to a spec but pass, or be refused by field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from engine.spec import SpecError, expand, parse_text, read_text, to_yaml, validate
from tests.fuzz.effort import EFFORT, examples, in_time
from tests.fuzz.hostile import (
    PRESET_DOCUMENTS,
    TEXTS,
    VALUES,
    almost_specs,
    any_text,
    any_value,
    places,
    specs_of_the_schema,
)


def examined(read: Any) -> bool:
    """Whether `read` gives an experiment, which then survives being written, read and expanded."""
    try:
        experiment = in_time(read)
        runs = in_time(lambda: expand(experiment))
    except SpecError as refusal:
        errors = refusal.errors
    else:
        assert runs
        assert read_text(to_yaml(experiment)) == experiment
        return True
    assert errors
    assert all(error.message for error in errors), "a refusal says what is wrong"
    assert len(json.dumps([error.as_dict() for error in errors])) < 2_000_000, "and fits an answer"
    return False


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_no_bomb_goes_off(text: str):
    examined(lambda: read_text(text))


@examples(80)
@given(any_text)
def test_any_text(text: str):
    examined(lambda: read_text(text))


@examples(100)
@given(any_value)
def test_any_value_is_no_spec_or_one(value: Any):
    examined(lambda: validate(value))


@examples(250)
@given(almost_specs())
def test_specs_that_are_almost_right(document: Any):
    examined(lambda: validate(document))


@examples(100)
@given(specs_of_the_schema())
def test_specs_of_the_schema(document: dict[str, Any]):
    examined(lambda: validate(document))


def test_every_field_refuses_every_wrong_value_by_its_name():
    """Each place of each preset with each hostile value: all with effort, a sample without."""
    tried = accepted = 0
    for document in PRESET_DOCUMENTS:
        for parent, key in places(document):
            for value in VALUES:
                tried += 1
                if EFFORT == 1 and tried % 97:
                    continue
                kept, parent[key] = parent[key], value
                try:
                    accepted += examined(lambda document=document: validate(document))
                finally:
                    parent[key] = kept
    assert tried > 10_000
    assert accepted < tried / 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: !!bool x", "line 1, column 4: tags (!name) are not allowed in a spec"),
        ("name: 0x" + "f" * 5_000, "line 1, column 7: a whole number has at most 4,096 bits"),
        ("? [a]\n: 1", "line 1, column 3: a field's name is a word, not a list or a mapping"),
    ],
)
def test_what_was_found_is_refused_where_it_stands(text: str, message: str):
    with pytest.raises(SpecError) as refusal:
        parse_text(text)
    assert str(refusal.value) == message


def test_a_number_that_cannot_be_written_is_refused_all_the_same():
    with pytest.raises(SpecError, match="a int too large to be written"):
        validate({"name": 16**6_000})


def test_a_thousand_errors_are_not_told_one_by_one():
    with pytest.raises(SpecError) as refusal:
        read_text("\n".join(f"a{number}: 1" for number in range(4_000)))
    assert len(refusal.value.errors) == 101
    assert str(refusal.value.errors[-1]) == "and 3,900 more errors"


def test_a_sweep_of_one_value_twelve_thousand_times_does_not_hang():
    experiment = validate({"sweep": {"outer.steps": [1] * 12_000}})
    assert len(in_time(lambda: expand(experiment))) == 1
