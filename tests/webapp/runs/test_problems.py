"""What went wrong with a run, what may help, and that the builder opens with it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from engine.events import Point
from engine.spec import validate
from engine.spec.editing import edited
from tests.webapp.factories import claimed, first_run, person, points, signed_in
from webapp.accounts.models import User
from webapp.runs import services
from webapp.runs.models import Run, Status
from webapp.runs.problems import problem_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return person("ada")


def ended(owner: User, status: Status, error: str, last: dict[str, float], **spec: Any) -> Run:
    """A run with seven points and one more, `last`, that ended so."""
    run = claimed(first_run(owner, **spec))
    more = [*points(1, 7), Point(run=0, step=7, values={"meta_loss": 0.0, "seconds": 1.0, **last})]
    services.record_points(run_id=run.pk, attempt=1, points=more)
    services.finish(run_id=run.pk, attempt=1, status=status, error=error)
    return Run.objects.get(pk=run.pk)


def edits_of(run: Run) -> dict[str, dict[str, Any]]:
    """Each fix's edits by its title; all are allowed by the spec's rules."""
    found = {}
    for fix in problem_of(run).fixes:
        query = parse_qs(urlsplit(fix.href).query)
        assert query["clone"] == [str(run.pk)]
        found[fix.title] = json.loads(query["edit"][0])
        validate(edited(run.spec, found[fix.title]))
    return found


def test_a_run_that_needs_too_much_memory(ada: User) -> None:
    full = [{"kind": "unrolled", "storage": "full"}]
    run = ended(
        ada, Status.FAILED, "The machine ran out of memory: …", {}, estimators=full
    )  # fmt: skip
    assert problem_of(run).kind == "memory"
    assert edits_of(run) == {
        "Checkpointed storage": {"estimators.0.storage": "checkpoint"},
        "Horizon 5": {"inner.steps": 5},
    }
    window = [{"kind": "truncated", "window": 3}]
    error = "an estimate needed 9e+09 bytes, more than the budget of 1e+09"
    out = ended(ada, Status.OUT_OF_BUDGET, error, {}, estimators=window, budget={"bytes": 1e9})
    assert problem_of(out).kind == "memory"
    assert edits_of(out)["Window 1"] == {"estimators.0.window": 1}


@pytest.mark.parametrize("last", [{"meta_loss": float("inf")}, {"gradient_norm": float("nan")}])
def test_a_run_that_diverged(ada: User, last: dict[str, float]) -> None:
    run = ended(ada, Status.FAILED, "the meta-loss became inf at outer step 7: …", last)
    assert problem_of(run).kind == "diverged"
    edits = edits_of(run)
    assert edits["Outer learning rate 0.001"] == {"outer.optimizer.learning_rate": 0.001}
    assert edits["First inner learning rate 0.05"] == {"meta_parameters.0.initial": 0.05}
    html = page(ada, run)
    assert 'First point that is not finite: outer step <span class="number">7</span>' in html


def test_a_run_without_time(ada: User) -> None:
    error = "the budget of 3 s was used up after outer step 8"
    run = ended(ada, Status.OUT_OF_BUDGET, error, {}, budget={"seconds": 3.0})
    assert problem_of(run).kind == "budget"
    assert edits_of(run) == {
        "No bound on time": {"budget.seconds": None},
        "Twice the time": {"budget.seconds": 6.0},
        "8 outer steps": {"outer.steps": 8},
    }


def test_a_run_whose_worker_vanishes_and_one_that_fails_otherwise(ada: User) -> None:
    run = ended(ada, Status.FAILED, "ZeroDivisionError", {})
    assert (problem_of(run).kind, problem_of(run).fixes) == ("other", [])
    run.times_lost = services.MOST_LOSSES
    assert problem_of(run).kind == "lost"


@pytest.mark.parametrize("status", [Status.FINISHED, Status.CANCELLED])
def test_a_run_that_ended_well_has_no_problem(ada: User, status: Status) -> None:
    assert problem_of(ended(ada, status, "", {})) is None


def test_a_problem_outlives_the_package_of_its_inner_task(ada: User) -> None:
    run = ended(ada, Status.FAILED, "The machine ran out of memory", {})
    run.spec = {**run.spec, "inner_task": {"kind": "gone"}}
    assert problem_of(run).fixes == []


def test_the_builder_opens_with_the_change(ada: User) -> None:
    error = "the budget of 3 s was used up after outer step 8"
    run = ended(ada, Status.OUT_OF_BUDGET, error, {}, budget={"seconds": 3.0})
    client = signed_in(ada)
    for fix in problem_of(run).fixes:
        assert fix.href.replace("&", "&amp;") in page(ada, run)
    twice = next(fix for fix in problem_of(run).fixes if fix.title == "Twice the time")
    html = client.get(twice.href).content.decode()
    assert 'name="budget.seconds"' in html
    field = html[
        html.index('name="budget.seconds"') - 300 : html.index('name="budget.seconds"') + 300
    ]
    assert 'value="6' in field
    for nonsense in ("nonsense", '{"budget.seconds"', '{"no.such": 1}', "[]", "7"):
        query = {"clone": run.pk, "edit": nonsense}
        assert client.get("/experiments/new", query).status_code == 200, nonsense


def page(user: User, run: Run) -> str:
    answer = signed_in(user).get(f"/runs/{run.pk}/")
    assert answer.status_code == 200
    return answer.content.decode()
