"""Queries against real runs in Postgres: what each finds, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.webapp.factories import launched, measured, person
from webapp.accounts.models import User
from webapp.runs import services
from webapp.runs.models import Run
from webapp.runs.query import QueryError, completions, condition, parse
from webapp.runs.query.fields import fields
from webapp.runs.query.nodes import OPERATORS
from webapp.runs.table_models import KnownConfiguration, SpecValue, Tag

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return person("ada")


@pytest.fixture
def lab(ada: User) -> list[Run]:
    """Ada's unrolled (0, 1) and truncated (2, 3) runs, and Bob's of evolution (4), cancelled.

    The meta-losses of 0 to 3 are 0.5, 2, nan and inf; 0 and 1 have the tag “paper one”; 3 is old
    and archived.
    """
    ours = list(launched(ada, name="bowl (a)").runs.order_by("number"))
    bob = person("bob")
    theirs = launched(
        bob, name="cup", inner={"steps": 25}, estimators=[{"kind": "evolution"}], seeds=[7]
    ).runs.get()
    services.request_cancel(user=bob, run=theirs)
    for run, loss in zip(ours, (0.5, 2.0, float("nan"), float("inf")), strict=True):
        measured(run, [{"meta_loss": loss, "peak_bytes": 2e6, "theta.learning_rate": 0.1}])
    Tag.objects.create(name="paper one").runs.add(*ours[:2])
    old = timezone.now() - timedelta(days=30)
    Run.objects.filter(pk=ours[3].pk).update(created_at=old, archived_at=timezone.now())
    return [*ours, theirs]


def found(lab: list[Run], user: User, text: str) -> list[int]:
    tree = parse(text)
    assert tree is not None
    pks = set(Run.objects.filter(condition(tree, user)).values_list("pk", flat=True))
    return [index for index, run in enumerate(lab) if run.pk in pks]


@pytest.mark.parametrize(
    ("text", "which"),
    [
        ("status:running", [0, 1, 2, 3]),
        ("status:cancelled,queued", [4]),
        ("status!=running", [4]),
        ("estimator:TRUNCATED", [2, 3]),
        ("estimator:truncated,evolution", [2, 3, 4]),
        ("owner:me", [0, 1, 2, 3]),
        ("owner:Bob", [4]),
        ("owner:nobody", []),
        ("name:bowl", [0, 1, 2, 3]),
        ("name=bowl", []),
        ('name="BOWL (A)"', [0, 1, 2, 3]),
        ("name:%", []),
        ('"(a)"', [0, 1, 2, 3]),
        ("bowl truncated", [2, 3]),
        ("cup OR truncated", [2, 3, 4]),
        ("label:evol", [4]),
        ("error:none", [0, 1, 2, 3, 4]),
        ("tag:\"Paper one\"", [0, 1]),
        ("tag:none", [2, 3, 4]),
        ("NOT tag:none", [0, 1]),
        ("seed:7", [4]),
        ("seed>=1", [1, 3, 4]),
        ("seed!=0", [1, 3, 4]),
        ("seed<0.5", [0, 2]),
        ("seed<99999999999", [0, 1, 2, 3, 4]),
        ("seed>-inf", [0, 1, 2, 3, 4]),
        ("seed:99999999999", []),
        ("step:1", [0, 1, 2, 3]),
        ("meta_loss<1", [0]),
        ("meta_loss:0.5", [0]),
        ("meta_loss>1", [1, 3]),
        ("meta_loss>=0.5 meta_loss<=2", [0, 1]),
        ("meta_loss:nan", [2]),
        ("meta_loss:none", [4]),
        ("NOT meta_loss:none", [0, 1, 2, 3]),
        ("NOT meta_loss<1", [1, 2, 3, 4]),
        ("meta_loss!=2", [0, 2, 3, 4]),
        ("best_meta_loss<1", [0]),
        ("peak_bytes>1.5MB", [0, 1, 2, 3]),
        ("peak_bytes>1GB", []),
        ("theta.learning_rate<0.2", [0, 1, 2, 3]),
        ("horizon:10", [0, 1, 2, 3]),
        ("horizon>10", [4]),
        ("inner.steps<=25", [0, 1, 2, 3, 4]),
        ("Inner.Steps:25", [4]),
        ("window:3", [2, 3]),
        ("window<=3", [2, 3]),
        ("estimator.window:none", [4]),
        ("NOT window:3", [0, 1, 4]),
        ("window!=3", [0, 1, 4]),
        ("task:quadratic", [0, 1, 2, 3, 4]),
        ("learns:learning_rate", [0, 1, 2, 3, 4]),
        ("meta_parameters.initial<=0.1", [0, 1, 2, 3, 4]),
        ("budget.seconds:none", [0, 1, 2, 3, 4]),
        ("probes.oracle:true horizon:25", [4]),
        ("device:cpu", [0, 1, 2, 3, 4]),
        ("device:cuda", []),
        ("age<7d", [0, 1, 2, 4]),
        ("age>=7d", [3]),
        ("created:today", [0, 1, 2, 4]),
        ("created<today", [3]),
        ("created>=yesterday created<=today", [0, 1, 2, 4]),
        ("created>2100-01-01", []),
        ("finished:none", [0, 1, 2, 3]),
        ("finished>=today", [4]),
        ("archived:yes", [3]),
        ("archived:no", [0, 1, 2, 4]),
        ("archived:any", [0, 1, 2, 3, 4]),
        ("estimator:unrolled AND (seed:1 OR meta_loss<1)", [0, 1]),
        ("NOT (estimator:unrolled OR seed:7)", [2, 3]),
        ("NOT NOT seed:7", [4]),
        ("preset:none", [0, 1, 2, 3, 4]),
    ],
)  # fmt: skip
def test_what_a_query_finds(lab: list[Run], ada: User, text: str, which: list[int]) -> None:
    assert found(lab, ada, text) == which


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("a AND biass<1", 7, "there is no field “biass”; did you mean bias"),
        ("status:done", 8, "status cannot be “done”; allowed: queued, running"),
        ("estimator:trunc,unrolled", 11, "did you mean truncated"),
        ("status<x", 1, "status cannot be compared with <; allowed: : = !="),
        ("seed:x", 6, "allowed: a number"),
        ("seed>1,2", 8, "> takes one value; 2 were given"),
        ("peak_bytes>1s", 12, "one of the units B, kB"),
        ("created:soon", 9, "allowed: today, yesterday, 2026-11-24"),
        ("age<7", 5, "a number with a unit"),
        ("age:7d", 5, "compare it with <"),
        ("archived:maybe", 10, "allowed: yes, no, any"),
        ("task:quadratics", 6, "did you mean quadratic"),
        ("horizon>x", 9, "allowed: a number"),
        ("device:gpu", 8, "allowed: auto, cpu, cuda, none"),
        ("precision>float32", 1, "precision cannot be compared with >"),
    ],
)
def test_what_is_refused_is_said_with_what_is_allowed(
    ada: User, text: str, column: int, says: str
) -> None:
    tree = parse(text)
    assert tree is not None
    with pytest.raises(QueryError) as caught:
        condition(tree, ada)
    assert caught.value.column == column
    assert says in caught.value.sentence


def test_a_configuration_is_kept_once_and_found_by_every_leaf(ada: User) -> None:
    launched(ada)
    before = SpecValue.objects.count(), KnownConfiguration.objects.count()
    assert before[1] == 2
    launched(ada)
    assert (SpecValue.objects.count(), KnownConfiguration.objects.count()) == before
    run = launched(ada, inner={"steps": 11}).runs.first()
    assert KnownConfiguration.objects.count() == 4
    assert SpecValue.objects.count() == before[0] + 1
    assert SpecValue.objects.get(path="inner.steps", text="11").number == 11
    assert run is not None


class AnyComparison(TestCase):
    """Any field with any operator and any value is an answer or a sentence, never an error."""

    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(
        name=st.sampled_from([*fields(), "theta.a b", "no.such"]),
        operator=st.sampled_from(OPERATORS),
        value=st.sampled_from(["none", "nan", "-inf", "1e400", "9" * 30, "%", "today", "yes", "7d"])
        | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6),
    )
    def test_it(self, name: str, operator: str, value: str) -> None:
        user = User(username="ada")
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        try:
            tree = parse(f'NOT {name}{operator}"{quoted}" OR {name}{operator}"{quoted}"')
            assert tree is not None
            list(Run.objects.filter(condition(tree, user))[:1])
        except QueryError:
            pass


def offered(user: User, text: str) -> tuple[int, list[str]]:
    found = completions(text, len(text), user)
    return found.start, [item.text for item in found.items]


def test_completions_go_on_from_the_cursor(lab: list[Run], ada: User) -> None:
    start, names = offered(ada, "seed:1 AND stat")
    assert (start, names[0]) == (11, "status:")
    assert offered(ada, "status:r")[1][0] == "running "
    assert offered(ada, "tag:") == (4, ['"paper one" '])
    assert offered(ada, 'tag:"paper o') == (4, ['"paper one" '])
    assert offered(ada, "owner:") == (6, ["me ", "ada ", "bob "])
    assert offered(ada, "horizon:") == (8, ["10 ", "25 "])
    assert offered(ada, "horizon:10,2") == (11, ["25 "])
    assert offered(ada, "name:cu") == (5, ["cup "])
    assert offered(ada, "meta_loss<")[1] == [""]
    assert offered(ada, "seed:1 ")[1][:2] == ["AND ", "OR "]
    assert offered(ada, "status:running AND ")[1][0] == "status:"
    assert offered(ada, '"an open')[1] == []
    assert offered(ada, "no_such:x")[1] == []
    assert completions("status:", 3, ada).items[0].text == "status:"


@given(st.text('ab:<>=!"(), \\NOTstatus.tag', max_size=20), st.integers(-3, 30))
def test_completions_never_fail(text: str, cursor: int) -> None:
    from unittest.mock import patch

    with patch("webapp.runs.query.completions._offered", return_value=["x y", "z"]):
        assert 0 <= completions(text, cursor, User(username="ada")).start <= len(text)
