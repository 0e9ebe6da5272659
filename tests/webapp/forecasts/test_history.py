"""What runs like a problem came to, of runs that the engine really ran."""

from __future__ import annotations

import math
from typing import Any

import pytest

from engine.advice.advice import advise
from engine.events import Point
from engine.runner import run as engine_run
from engine.spec import validate
from tests.webapp.factories import QUADRATIC, claimed, launched, person
from webapp.forecasts.history import history_of
from webapp.runs import services
from webapp.runs.models import Status

pytestmark = pytest.mark.django_db
TRUNCATED, UNROLLED = "Truncated, last 3", "Unrolled, checkpoint"


def finished(name: str = "ada", **changes: Any) -> None:
    """An experiment whose runs have all been run and recorded."""
    for run in launched(person(name), **changes).runs.all():
        taken = claimed(run)
        points = [
            Point(run=0, step=event.step, values=event.values)
            for event in engine_run(validate(run.spec))
            if isinstance(event, Point)
        ]
        services.record_points(run_id=run.pk, attempt=taken.attempt, points=points)
        services.finish(run_id=run.pk, attempt=taken.attempt, status=Status.FINISHED)


def test_a_lab_without_runs_knows_nothing() -> None:
    found = history_of(validate(QUADRATIC))
    assert found.by_label == {}
    assert found.gradient_norm is None


def test_runs_of_the_same_problem_tell_bias_and_loss() -> None:
    finished()
    found = history_of(validate(QUADRATIC))
    assert found.by_label.keys() == {TRUNCATED, UNROLLED}
    exact, cut = found.by_label[UNROLLED], found.by_label[TRUNCATED]
    assert (exact.runs, exact.failed) == (2, 0)
    assert exact.bias < 1e-9 < 0.05 < cut.bias
    assert exact.meta_loss is not None
    assert exact.meta_loss_error is not None
    assert 0.0 < exact.step_seconds < 1.0
    assert 0.0 < found.gradient_norm < math.inf


def test_its_measured_bias_stands_in_the_advice() -> None:
    finished()
    experiment = validate(QUADRATIC)
    [cut] = [
        verdict
        for verdict in advise(experiment, history=history_of(experiment)).verdicts
        if verdict.label == TRUNCATED
    ]
    assert {reason.rule for reason in cut.reasons} & {"measured bias", "some measured bias"}
    assert "short windows" not in {reason.rule for reason in cut.reasons}


@pytest.mark.parametrize(
    "changes",
    [
        {"inner": {"steps": 30}},
        {"objective": "average"},
        {"inner_task": {"kind": "toy_regression"}, "precision": "float32"},
        {"meta_parameters": [{"kind": "learning_rate", "granularity": "per_parameter"}]},
        {"meta_parameters": [{"kind": "weight_decay", "initial": 0.1}]},
    ],
    ids=["horizon", "objective", "inner task", "number of meta-parameters", "meta-parameter"],
)
def test_another_problem_is_not_alike(changes) -> None:
    finished()
    assert history_of(validate({**QUADRATIC, **changes})).by_label == {}


def test_a_problem_that_is_only_alike_compares_no_losses() -> None:
    finished()
    other = validate({**QUADRATIC, "inner": {"steps": 12}})
    past = history_of(other).by_label[UNROLLED]
    assert past.bias is not None
    assert past.meta_loss is None


def test_failed_runs_are_counted_as_such_and_cancelled_ones_not() -> None:
    [one, two, three, _] = launched(person("ada")).runs.order_by("number")
    for run, status in ((one, Status.FAILED), (three, Status.CANCELLED)):
        taken = claimed(run)
        services.finish(run_id=run.pk, attempt=taken.attempt, status=status, error="no")
    found = history_of(validate(QUADRATIC))
    assert {label: (past.runs, past.failed) for label, past in found.by_label.items()} == {
        UNROLLED: (1, 1)
    }
    assert two.status == Status.QUEUED


def test_a_figure_that_is_no_number_counts_as_infinite() -> None:
    run = launched(person("ada"), estimators=[{"kind": "unrolled"}], seeds=[0]).runs.get()
    taken = claimed(run)
    values = {"meta_loss": math.nan, "gradient_norm": math.nan, "seconds": 1.0}
    services.record_points(
        run_id=run.pk, attempt=taken.attempt, points=[Point(run=0, step=0, values=values)]
    )
    services.finish(run_id=run.pk, attempt=taken.attempt, status=Status.FINISHED)
    found = history_of(validate(QUADRATIC))
    assert math.isinf(found.gradient_norm)
    assert math.isinf(found.by_label[UNROLLED].meta_loss)


def test_two_queries_whatever_the_number_of_runs(django_assert_num_queries) -> None:
    finished()
    with django_assert_num_queries(2):
        history_of(validate(QUADRATIC))
