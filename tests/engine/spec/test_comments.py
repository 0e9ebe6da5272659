"""Comments of a spec's YAML stay at their fields, and never change what the text says."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.spec import parse_text, read_text, stored_to_yaml, to_yaml
from engine.spec.comments import Comments, Path, commented, comments_of

WRITTEN = """\
# Why this is run at all

name: a bowl  # not a plate
# what is learned
inner_task: {kind: quadratic, dimension: 4}  # small
inner:
  # as long as it takes
  steps: 20
estimators:
- kind: unrolled  # exact
# the biased one
- kind: truncated
  window: 3   # K
seeds: [0, 1]
# nothing follows
"""

SIGNS = st.characters(categories=["L", "N", "P", "S", "Zs"])
COMMENT = st.text(SIGNS, max_size=12).map(lambda text: f"#{text}".rstrip())
WORDS = st.text(SIGNS, min_size=1, max_size=8) | st.sampled_from(["a # b", "#", "no", "8e9", "'"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-1000, 1000)
    | st.floats(allow_nan=False)
    | WORDS
    | st.text(max_size=140)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(WORDS, inner, max_size=3)
        | st.lists(st.dictionaries(WORDS, inner, min_size=1, max_size=2), max_size=3)
    ),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(WORDS, VALUES, min_size=1, max_size=4)


def paths(value: Any, around: Path = ()) -> list[Path]:
    """Those of every field and every item in `value`."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    below = (paths(inner, (*around, name)) for name, inner in items)
    return [*((*around, name) for name, _ in items), *chain.from_iterable(below)]


@st.composite
def commented_documents(draw) -> tuple[dict[str, Any], Comments]:
    document = draw(DOCUMENTS)
    fields = st.sampled_from(paths(document))
    at_fields = st.dictionaries(fields, st.lists(COMMENT, min_size=1, max_size=2), max_size=3)
    lines = st.lists(COMMENT, max_size=2).map(tuple)
    return document, Comments(draw(lines), draw(at_fields), draw(at_fields), draw(lines))


def said(comments: Comments) -> list[str]:
    at_fields = chain(*comments.above.values(), *comments.beside.values())
    return [*comments.head, *at_fields, *comments.foot]


def test_each_comment_belongs_to_the_field_below_or_before_it() -> None:
    found = comments_of(WRITTEN)
    assert found.head == ("# Why this is run at all",)
    assert found.above == {
        ("inner_task",): ["# what is learned"],
        ("inner", "steps"): ["# as long as it takes"],
        ("estimators", 1): ["# the biased one"],
    }
    assert found.beside == {
        ("name",): ["# not a plate"],
        ("inner_task",): ["# small"],
        ("estimators", 0): ["# exact"],
        ("estimators", 1, "window"): ["# K"],
    }
    assert found.foot == ("# nothing follows",)


def test_they_stand_there_in_the_whole_spec() -> None:
    whole = commented(to_yaml(read_text(WRITTEN)), comments_of(WRITTEN))
    assert read_text(whole) == read_text(WRITTEN)
    lines = whole.splitlines()
    assert lines[:3] == ["# Why this is run at all", "", "name: a bowl  # not a plate"]
    assert lines[-1] == "# nothing follows"
    assert lines[lines.index("inner:") + 1] == "  # as long as it takes"
    assert lines[lines.index("# the biased one") + 1] == "- kind: truncated"
    assert "inner_task:  # small" in lines
    assert "- kind: unrolled  # exact" in lines
    assert "  window: 3  # K" in lines


@pytest.mark.parametrize(
    "text",
    [
        "name: a#b",
        'name: "a # b"',
        "name: 'a # b'",
        "name: |\n  # no\n  comment\n",
        "a: >\n  # b\n",
    ],
)
def test_a_sign_within_a_text_begins_no_comment(text: str) -> None:
    assert not comments_of(text)


def test_comments_move_with_their_items_and_go_with_what_is_removed() -> None:
    moved = comments_of(WRITTEN).moved(
        lambda path: None if path[:2] == ("estimators", 0) else
        ("estimators", 0, *path[2:]) if path[0] == "estimators" else path
    )  # fmt: skip
    assert moved.above["estimators", 0] == ["# the biased one"]
    assert moved.beside["estimators", 0, "window"] == ["# K"]
    assert "# exact" not in said(moved)


def test_of_a_broken_text_those_before_the_break_are_known() -> None:
    broken = "name: x  # kept\ninner: {steps: 3}\nseeds: [0, 1\nouter: {  # lost\n"
    assert comments_of(broken).beside[("name",)] == ["# kept"]


@pytest.mark.parametrize(
    "text",
    [
        "a: &x [1]\nb: [*x, *x]  # bombs have anchors\n",
        "# deep\n" + "[" * 500,
        "# long\n" + "a: 1\n" * 20_000,
        "# wide\na: [" + "1, " * 20_000,
        "? [1, 2]  # a list as a name\n: 3\n",
    ],
)
def test_what_no_spec_may_be_is_read_no_further(text: str) -> None:
    assert len(said(comments_of(text))) <= 2


@given(st.text() | st.text("ab:#\n -[]{}'\"|>,?&*! \t", max_size=60))
def test_any_text_has_comments_or_none(text: str) -> None:
    comments_of(text)


@given(commented_documents())
def test_comments_change_nothing_of_what_a_text_says(
    made: tuple[dict[str, Any], Comments],
) -> None:
    document, comments = made
    text = stored_to_yaml(document)
    assert parse_text(commented(text, comments)) == parse_text(text)


@given(commented_documents())
def test_no_comment_is_lost_and_none_wanders(made: tuple[dict[str, Any], Comments]) -> None:
    document, comments = made
    text = stored_to_yaml(document)
    whole = commented(text, comments)
    again = comments_of(whole)
    kept = "\n".join(said(again))
    assert all(comment in kept for comment in said(comments))
    assert commented(text, again) == whole
