"""Queries as text: what they mean, where they are wrong, and that writing and reading agree."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.runs.query import LONGEST, QueryError, mentions, parse, values
from webapp.runs.query.nodes import (
    OPERATORS,
    And,
    Comparison,
    Node,
    Not,
    Or,
    Word,
    both,
    either,
)

SIGNS = st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
TEXT = st.text(SIGNS, max_size=12).map(
    lambda text: "".join(" " if sign.isspace() else sign for sign in text)
)
TEXTS = st.lists(TEXT, min_size=1, max_size=3).map(tuple)
FIELDS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.]{0,12}", fullmatch=True)
LEAVES = st.builds(Word, TEXT) | st.builds(Comparison, FIELDS, st.sampled_from(OPERATORS), TEXTS)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: both(*parts))
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: either(*parts))
    ),
    max_leaves=8,
)


@given(TREES)
def test_a_tree_that_is_written_is_read_as_the_same_tree(tree: Node) -> None:
    text = str(tree)
    if len(text) <= LONGEST:
        assert parse(text) == tree


@given(st.text(max_size=40) | st.text('ab:<>=!"(), \\NOTandor.', max_size=40))
def test_any_text_is_a_query_or_says_where_it_is_not(text: str) -> None:
    error = None
    try:
        tree = parse(text)
    except QueryError as caught:
        error = caught
    if error is None:
        assert tree is None or parse(str(tree)) == tree
    else:
        assert 1 <= error.column <= len(text) + 1
        assert error.sentence.endswith((".", "?"))


BIAS = Comparison("bias", "<", ("0.1",))
TRUNCATED = Comparison("estimator", ":", ("truncated",))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", None),
        ("  ", None),
        ("bowl", Word("bowl")),
        ('"a (b) : \\"c\\" \\\\"', Word('a (b) : "c" \\')),
        ("estimator:truncated AND bias<0.1", And((TRUNCATED, BIAS))),
        ("estimator:truncated bias < 0.1", And((TRUNCATED, BIAS))),
        ("estimator:truncated and not bias<0.1", And((TRUNCATED, Not(BIAS)))),
        ("a OR b c", Or((Word("a"), And((Word("b"), Word("c")))))),
        ("(a OR b) c", And((Or((Word("a"), Word("b"))), Word("c")))),
        ("a AND (b AND (c))", And((Word("a"), Word("b"), Word("c")))),
        ("NOT NOT a", Not(Not(Word("a")))),
        ("android nothing order", And((Word("android"), Word("nothing"), Word("order")))),
        ("name:and", Comparison("name", ":", ("and",))),
        ('tag:x,"y z"', Comparison("tag", ":", ("x", "y z"))),
        ("created>=2026-11-24T10:30", Comparison("created", ">=", ("2026-11-24T10:30",))),
        ("theta.lr.0!=1e-3", Comparison("theta.lr.0", "!=", ("1e-3",))),
        ("a\nb\tc", And((Word("a"), Word("b"), Word("c")))),
    ],
)
def test_what_a_text_means(text: str, tree: Node | None) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("bias<", 6, "the query ends here; expected: a value"),
        ("a AND", 6, "expected: a field, a word, “("),
        ("(a OR b", 8, "expected: “)”"),
        ("a) b", 2, "“)” is not possible here"),
        ("a OR OR b", 6, "“OR” is not possible here"),
        ("bias:<0.1", 6, "“<0.1” is not possible here; expected: a value"),
        ('tag:"x', 5, "no second one"),
        ("a\x00b", 2, "not possible"),
        ("a\ud800", 2, "not possible"),
        ("x" * (LONGEST + 1), LONGEST + 1, "1,001 characters; at most 1,000"),
        ("(" * 41 + "a" + ")" * 41, 41, "more than 40"),
        ("seed:" + "1," * 60 + "1", 1, "61 words and values; at most 60"),
    ],
)
def test_what_is_wrong_is_said_with_its_column(text: str, column: int, says: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert caught.value.column == column
    assert says in caught.value.sentence
    assert str(caught.value).startswith(f"Column {column}: ")


def test_a_comparison_knows_where_it_and_its_values_stand() -> None:
    tree = parse("a bias < 1")
    assert isinstance(tree, And)
    comparison = tree.parts[1]
    assert isinstance(comparison, Comparison)
    assert (comparison.column, comparison.column_of(0), comparison.column_of(1)) == (3, 10, 3)


def test_a_query_mentions_its_fields() -> None:
    tree = parse("a OR NOT (b Archived:yes)")
    assert mentions(tree, "archived")
    assert not mentions(tree, "b")
    assert not mentions(None, "archived")


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [
        ("0.1", "", 0.1), ("-3", "", -3.0), ("1e-3", "", 1e-3), (".5", "", 0.5), ("2.", "", 2.0),
        ("-inf", "", -float("inf")), ("2GB", "B", 2e9), ("1 KiB", "B", 1024.0), ("7gb", "B", 7e9),
        ("5min", "s", 300.0), ("20 ms", "s", 0.02), ("90%", "%", 0.9), ("0.9", "%", 0.9),
        ("3s", "B", None), ("2x", "", None), ("", "", None), ("1e", "", None), ("--1", "", None),
    ],
)  # fmt: skip
def test_numbers_may_have_the_units_of_their_field(
    text: str, unit: str, number: float | None
) -> None:
    assert values.number(text, unit) == (None if number is None else pytest.approx(number))


def test_ages_need_a_unit() -> None:
    assert values.age("7d") == timedelta(days=7)
    assert values.age("30min") == timedelta(minutes=30)
    for text in ("7", "-1d", "nan", "1e9d", "x"):
        assert values.age(text) is None, text


def test_moments_are_as_long_as_they_are_written() -> None:
    now = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
    day = timedelta(days=1)

    def said(text: str) -> tuple[datetime, timedelta] | None:
        found = values.moments(text, now, UTC)
        return found and (found[0], found[1] - found[0])

    assert said("today") == (datetime(2026, 11, 24, tzinfo=UTC), day)
    assert said("yesterday") == (datetime(2026, 11, 23, tzinfo=UTC), day)
    assert said("2026-11-01") == (datetime(2026, 11, 1, tzinfo=UTC), day)
    assert said("2026-11-01T10:30") == (
        datetime(2026, 11, 1, 10, 30, tzinfo=UTC),
        timedelta(minutes=1),
    )
    assert said("2026-11-01 10:30:05") == (
        datetime(2026, 11, 1, 10, 30, 5, tzinfo=UTC),
        timedelta(seconds=1),
    )
    for text in ("soon", "2026-13-01", "0001-01-01", "9999-12-31", ""):
        assert said(text) is None, text
