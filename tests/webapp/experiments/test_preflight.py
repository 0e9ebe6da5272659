"""The builder asks workers whether an estimator can run, and never waits for the answer."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from engine.obstacle import Obstacle
from engine.spec import SpecError, validate
from tests.webapp.experiments.form_fields import fields_of
from tests.webapp.factories import QUADRATIC, launched, person
from webapp import questions
from webapp.celery import app
from webapp.experiments import preflights
from webapp.experiments.models import Experiment, Preflight
from webapp.experiments.preflights import Verdict, ask, key_of, look_up, singles
from webapp.experiments.tasks import try_out
from webapp.runs.wake import messages_waiting

REFUSED = Obstacle(
    need="a backward pass through an inner step",
    reason="torch has no derivative of aten::_ctc_loss_backward",
    operation="aten::_ctc_loss_backward",
    cure="use evolution or a search, whose needs are met here",
)


def experiment(**changes: Any):
    return validate({**QUADRATIC, **changes})


def keys(**changes: Any) -> list[str]:
    return [key_of(single) for single in singles(experiment(**changes))]


def states() -> list[str]:
    return [verdict.state for verdict in look_up(experiment())]


@pytest.fixture
def empty_queues() -> None:
    with app.connection_for_write() as connection:
        for queue in ("cpu", "gpu"):
            connection.default_channel.queue_declare(queue)
            connection.default_channel.queue_purge(queue)


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(person("ada"))
    return client


def card(page: str, index: int) -> str:
    found = re.search(rf'<div class="preflight" id="preflight-{index}".*?</div>', page, re.DOTALL)
    assert found is not None
    return found[0]


@pytest.mark.django_db
class TestKey:
    def test_it_is_the_same_where_the_answer_cannot_differ(self) -> None:
        elsewhere = {
            "name": "another", "seeds": [5], "outer": {"steps": 3}, "budget": {"seconds": 9.0},
            "probes": {"every": 2}, "sweep": {"inner.steps": [8, 9]},
        }  # fmt: skip
        assert keys(**elsewhere) == keys()

    @pytest.mark.parametrize(
        "changes",
        [
            {"inner_task": {"kind": "quadratic", "dimension": 5}},
            {"inner": {"steps": 11}},
            {"meta_parameters": [{"kind": "initialisation"}]},
            {"objective": "average"},
            {"precision": "float32"},
            {"probes": {"oracle": False}},
            {"estimators": [{"kind": "unrolled", "storage": "full"}, {"kind": "forward_mode"}]},
        ],
    )
    def test_it_differs_where_the_answer_can(self, changes: dict) -> None:
        assert not set(keys(**changes)) & set(keys())


@pytest.mark.django_db(transaction=True)
class TestAsking:
    def test_workers_are_asked_once(self, empty_queues: None) -> None:
        assert [verdict.state for verdict in ask(experiment())] == ["waiting", "waiting"]
        assert messages_waiting("cpu") == 2
        ask(experiment(name="renamed"))
        assert messages_waiting("cpu") == 2
        third = {"kind": "truncated", "window": 4}
        ask(experiment(estimators=[*QUADRATIC["estimators"], third]))
        assert messages_waiting("cpu") == 3

    def test_a_question_that_nobody_takes_up_is_silent_then_forgotten(
        self, empty_queues: None
    ) -> None:
        ask(experiment())
        for age, state, messages in ((1, "waiting", 2), (4, "silent", 2), (61, "untried", 4)):
            then = timezone.now() - timedelta(seconds=age)
            Preflight.objects.update(asked_at=then)
            assert states() == [state] * 2
            ask(experiment())
            assert messages_waiting("cpu") == messages
        assert states() == ["waiting"] * 2

    def test_only_one_worker_begins(self, empty_queues: None) -> None:
        ask(experiment())
        first, _ = keys()
        assert validate(questions.begin(Preflight, first)).estimators[0].kind == "unrolled"
        assert questions.begin(Preflight, first) is None
        Preflight.objects.filter(key=first).update(begun_at=timezone.now() - timedelta(minutes=2))
        assert states() == ["slow", "waiting"]

    def test_an_answer_is_believed_for_an_hour_and_one_about_the_worker_is_not(
        self, empty_queues: None
    ) -> None:
        ask(experiment())
        first, second = keys()
        preflights.answer(first, [], lasting=True)
        preflights.answer(second, [], lasting=False)
        half_an_hour_ago = timezone.now() - timedelta(minutes=30)
        Preflight.objects.update(answered_at=half_an_hour_ago)
        assert [verdict.state for verdict in ask(experiment())] == ["ready", "waiting"]

    def test_the_task_answers(self, empty_queues: None) -> None:
        ask(experiment())
        for key in keys():
            try_out(key)
        assert look_up(experiment()) == [Verdict(key, "ready") for key in keys()]

    def test_what_the_worker_lacks_refuses_nothing(self, empty_queues: None) -> None:
        """A device that only another worker has."""
        spec = experiment(device="cuda")
        ask(spec)
        [key, _] = [key_of(single) for single in singles(spec)]
        try_out(key)
        row = Preflight.objects.get(key=key)
        assert (row.lasting, row.obstacles[0]["level"]) == (False, "warning")
        assert "no CUDA device" in row.obstacles[0]["reason"]
        preflights.refuse(spec)


@pytest.mark.django_db(transaction=True)
class TestPages:
    @pytest.fixture
    def posted(self, browser: Client, empty_queues: None) -> dict[str, list[str]]:
        launched_before = launched(person("bob"))
        page = browser.get(f"/experiments/new?experiment={launched_before.pk}")
        return fields_of(page.content.decode())

    def form(self, browser: Client, posted: dict, **changes: Any) -> str:
        response = browser.post(
            "/experiments/form", {**posted, **changes}, headers={"HX-Request": "true"}
        )
        return response.content.decode()

    def test_a_line_asks_again_until_there_is_an_answer(self, browser, posted) -> None:
        first, _ = keys()
        line = card(self.form(browser, posted), 0)
        assert "Trying one inner step" in line
        assert f'hx-get="/experiments/preflight/{first}/0"' in line
        try_out(first)
        line = browser.get(f"/experiments/preflight/{first}/0").content.decode()
        assert 'data-state="ready"' in line
        assert "hx-get" not in line
        Preflight.objects.update(
            answered_at=None, begun_at=None, asked_at=timezone.now() - questions.PATIENCE
        )
        line = browser.get(f"/experiments/preflight/{first}/0").content.decode()
        assert "no worker is free" in line
        assert "hx-get" in line

    def test_a_refusal_is_shown_with_its_cure_and_the_launch_refused(self, browser, posted) -> None:
        before = Experiment.objects.count()
        _, second = keys()
        preflights.answer(second, [REFUSED], lasting=True)
        line = card(self.form(browser, posted), 1)
        for words in ("Cannot run.", "aten::_ctc_loss_backward", "use evolution or a search"):
            assert words in line
        response = browser.post("/experiments/", posted)
        page = response.content.decode()
        assert response.status_code == 422
        assert "<code>estimators.1</code>" in page
        assert REFUSED.reason in page
        assert Experiment.objects.count() == before
        changed = {"estimators.1.window": "4"}
        assert "Cannot run" not in self.form(browser, posted, **changed)
        assert browser.post("/experiments/", {**posted, **changed}).status_code == 302

    def test_every_way_to_launch_refuses(self, browser, posted) -> None:
        preflights.answer(keys()[0], [REFUSED], lasting=True)
        with pytest.raises(SpecError, match=r"estimators\.0"):
            launched(person("eve"))
        answer = browser.post("/api/v1/experiments", QUADRATIC, content_type="application/json")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["path"] == "estimators.0"

    def test_a_launch_does_not_wait_for_an_answer(self, browser, posted) -> None:
        assert browser.post("/experiments/", posted).status_code == 302

    def test_a_draft_with_errors_asks_nothing(self, browser, posted) -> None:
        Preflight.objects.all().delete()
        page = self.form(browser, posted, **{"inner.steps": "many"})
        assert not Preflight.objects.exists()
        assert 'id="preflight-0"' not in page

    def test_an_unknown_question_is_an_empty_line(self, browser) -> None:
        line = browser.get(f"/experiments/preflight/{'0' * 64}/3").content.decode()
        assert 'data-state="unknown"' in card(line, 3)
        assert "<p" not in line
        assert Client().get(f"/experiments/preflight/{'0' * 64}/3").status_code == 302
