"""The numbers of summaries that Postgres keeps in narrow rows, for the table to sort by."""

from __future__ import annotations

import math

import pytest
from django.contrib.auth import get_user_model

from tests.webapp.factories import launched, measured, person
from webapp.runs.models import Run
from webapp.runs.table_models import SummaryName, SummaryValues

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> Run:
    return launched(person("ada")).runs.first()


def kept(run: Run) -> dict[str, float]:
    """By name, without what is null."""
    values = SummaryValues.objects.get(run=run).values
    names = SummaryName.objects.in_bulk(range(1, len(values) + 1))
    return {names[place].name: value for place, value in enumerate(values, 1) if value is not None}


def test_a_run_without_a_summary_has_no_row(run: Run) -> None:
    assert not SummaryValues.objects.filter(run=run).exists()


def test_they_follow_the_summary_whoever_writes_it(run: Run) -> None:
    measured(run, [{"meta_loss": 2.0, "cosine": 0.5}, {"meta_loss": 1.0}])
    run.refresh_from_db()
    assert kept(run) == {name: value for name, value in run.figures.items() if value is not None}
    assert kept(run)["meta_loss"] == 1.0

    Run.objects.filter(pk=run.pk).update(summary={"a name of its own": 3, "cosine": None})
    assert kept(run) == {"a name of its own": 3.0}


def test_what_is_not_finite_is_kept_as_it_is(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(summary={"a": "nan", "b": "inf", "c": "-inf"})
    found = kept(run)
    assert math.isnan(found["a"])
    assert (found["b"], found["c"]) == (math.inf, -math.inf)


def test_a_run_that_is_copied_with_its_summary_has_them(run: Run) -> None:
    run.pk, run.number, run.summary = None, 99, {"meta_loss": 4.0}
    run.save(force_insert=True)
    assert kept(run) == {"meta_loss": 4.0}


def test_they_go_with_the_run(run: Run) -> None:
    measured(run, [{"meta_loss": 2.0}])
    run.delete()
    assert not SummaryValues.objects.exists()
    assert get_user_model().objects.filter(username="ada").exists()
