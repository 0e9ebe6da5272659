"""What was launched without a forecast gets one while it waits."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from engine.forecast.forecasting import forecast
from engine.spec import validate
from tests.webapp.factories import launched, person
from webapp.celery import app
from webapp.experiments.models import Experiment
from webapp.forecasts import late, services, tasks
from webapp.forecasts.models import Forecast
from webapp.runs.models import Run
from webapp.runs.wake import messages_waiting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _empty_queues() -> None:
    with app.connection_for_write() as connection:
        for queue in ("cpu", "forecast"):
            connection.default_channel.queue_declare(queue)
            connection.default_channel.queue_purge(queue)


@pytest.fixture
def waiting() -> Experiment:
    """Launched, with the question of its launch still open and nobody who wants more than that."""
    experiment = launched(person("ada"))
    assert set(experiment.runs.values_list("needs_bytes", flat=True)) == {None}
    closed = timezone.now() - 2 * services.FORGOTTEN_AFTER
    Forecast.objects.update(draft="a" * 16, looked_at=closed)
    _empty()
    return experiment


def given_up(experiment: Experiment) -> set[bool]:
    return set(experiment.runs.values_list("forecast_given_up", flat=True))


def _empty() -> None:
    with app.connection_for_write() as connection:
        for queue in ("cpu", "forecast"):
            connection.default_channel.queue_purge(queue)


def test_an_answer_that_comes_after_the_launch_goes_to_its_runs(waiting: Experiment) -> None:
    held = waiting.runs.order_by("number").last()
    Run.objects.filter(pk=held.pk).update(needs_bytes=5)
    tasks.answer(Forecast.objects.get().key)
    runs = list(waiting.runs.order_by("number"))
    for run in runs[:-1]:
        [said] = forecast(validate(run.spec))
        assert run.needs_bytes == said.run_bytes
    assert runs[-1].needs_bytes == 5, "what is known stays"
    assert Experiment.objects.get().forecast.answer["configurations"]
    assert messages_waiting("cpu") == len(runs) - 1, "workers hear of it"


def test_a_question_that_was_lost_is_asked_again_once(waiting: Experiment) -> None:
    Forecast.objects.all().delete()
    late.fill_in()
    late.fill_in()
    assert messages_waiting("forecast") == 1
    tasks.answer(Forecast.objects.get().key)
    assert None not in waiting.runs.values_list("needs_bytes", flat=True)
    _empty()
    late.fill_in()
    assert messages_waiting("forecast") == 0


def test_what_cannot_be_forecast_waits_for_nothing(monkeypatch, tmp_path) -> None:
    """Its data are not here; the second launch knows so beforehand."""
    monkeypatch.setenv("MLAB_DATA", str(tmp_path))
    ada, task = person("ada"), {"kind": "image_mlp", "dataset": "fashion_mnist"}
    first = launched(ada, inner_task=task)
    assert given_up(first) == {False}
    _empty()
    tasks.answer(Forecast.objects.get().key)
    assert given_up(first) == {True}
    assert messages_waiting("cpu") == first.runs.count(), "workers hear of it"
    assert not hasattr(first, "forecast")
    assert given_up(launched(ada, inner_task=task)) == {True}


def test_an_answer_that_never_comes_is_not_asked_for_again(waiting: Experiment) -> None:
    Forecast.objects.update(begun_at=timezone.now() - timedelta(minutes=10))
    late.fill_in()
    assert given_up(waiting) == {True}
    late.fill_in()
    assert messages_waiting("forecast") == 0


def test_what_there_was_no_time_to_forecast_waits_for_nothing(waiting, monkeypatch) -> None:
    monkeypatch.setattr("webapp.forecasts.answering.SECONDS", -1.0)
    tasks.answer(Forecast.objects.get().key)
    assert Experiment.objects.get().forecast.answer["left_out"] == 2
    assert given_up(waiting) == {True}


def test_a_pass_is_bounded_and_passes_over_what_is_valid_no_more(waiting, monkeypatch) -> None:
    Experiment.objects.update(spec={"inner": {"steps": -1}})
    late.fill_in()
    assert messages_waiting("forecast") == 0
    assert given_up(waiting) == {True}
    ada = waiting.owner
    for steps in (11, 12, 13):
        launched(ada, inner={"steps": steps})
    _empty()
    Forecast.objects.all().delete()
    Experiment.objects.filter(pk=waiting.pk).delete()
    monkeypatch.setattr(late, "MOST", 2)
    late.fill_in()
    assert messages_waiting("forecast") == 2
