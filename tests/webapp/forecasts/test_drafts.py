"""The builder asks what a draft will need; what will not fit is not launched by accident."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from engine.forecast.forecasting import forecast
from engine.forecast.subject_cache import forget
from engine.spec import SpecError, validate
from tests.webapp.experiments.form_fields import fields_of
from tests.webapp.factories import QUADRATIC, launched, person
from webapp import questions
from webapp.celery import app
from webapp.experiments.models import Experiment
from webapp.forecasts import answering, services, tasks
from webapp.forecasts.answering import answers
from webapp.forecasts.machines import calibrations_for
from webapp.forecasts.models import Forecast
from webapp.forecasts.outlook import Outlook
from webapp.runs.models import Run
from webapp.runs.wake import messages_waiting
from webapp.workers.models import Worker

pytestmark = pytest.mark.django_db(transaction=True)

ROOMY, NARROW = 8e9, 2e6
FULL = {
    "estimators": [{"kind": "unrolled", "storage": "full"}, {"kind": "truncated", "window": 3}],
    "inner_task": {"kind": "quadratic", "dimension": 1000, "condition_number": 10.0},
    "inner": {"steps": 400},
    # In closed form it keeps every step, and is more than any estimate.
    "probes": {"oracle": False},
}


@pytest.fixture(autouse=True)
def _empty_queue() -> None:
    _purge()


def _purge() -> None:
    with app.connection_for_write() as connection:
        connection.default_channel.queue_declare("forecast")
        connection.default_channel.queue_purge("forecast")


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(person("ada"))
    return client


def experiment(**changes: Any):
    return validate({**QUADRATIC, **changes})


def worker(memory: float, *, slots: int = 2, name: str = "cpu@here") -> None:
    fields = {"device": "CPU", "memory_bytes": memory * slots, "slots": slots}
    Worker.objects.update_or_create(name=name, defaults={**fields, "heartbeat_at": timezone.now()})


def answered(**changes: Any) -> Outlook:
    """The outlook as soon as the real engine has said what is needed, and what would fit."""
    outlook = services.ask(experiment(**changes))
    spec = validate(questions.begin(Forecast, outlook.key))
    growing = answers(
        spec, calibrations_for("cpu"), forecaster=tasks.forecaster, wanted=lambda: True
    )
    for found, complete in growing:
        services.answer(outlook.key, found, complete=complete)
        if all(item.fixes for item in found.misfits):
            break
    return services.outlook_for(outlook.key)


def post(browser: Client, address: str, changes: dict[str, Any]):
    return browser.post(address, {**QUADRATIC, **changes}, content_type="application/json")


class TestAsking:
    def test_the_worker_is_asked_once_whatever_name_and_seeds(self) -> None:
        first = services.ask(experiment())
        services.ask(experiment(name="another", seeds=[7, 8]))
        assert (first.state, messages_waiting("forecast")) == ("waiting", 1)
        services.ask(experiment(inner={"steps": 11}))
        worker(ROOMY)
        services.ask(experiment())
        assert messages_waiting("forecast") == 3, "another horizon, and another machine"

    def test_a_form_that_asks_for_something_else_drops_what_nobody_began(self) -> None:
        old = services.ask(experiment(), "a" * 16)
        other_form = services.ask(experiment(inner={"steps": 12}), "b" * 16)
        begun = services.ask(experiment(inner={"steps": 13}), "a" * 16)
        Forecast.objects.filter(key=begun.key).update(begun_at=timezone.now())
        new = services.ask(experiment(inner={"steps": 14}), "a" * 16)
        left = set(Forecast.objects.values_list("key", flat=True))
        assert left == {other_form.key, begun.key, new.key}
        tasks.answer(old.key)
        assert services.outlook_for(old.key).state == "unknown", "dropped, so never traced"

    def test_the_rest_is_for_a_form_that_still_looks(self, browser) -> None:
        outlook = services.ask(experiment(), "a" * 16)
        begun = Forecast.objects.get(key=outlook.key)
        assert services.is_wanted(begun)
        long_ago = timezone.now() - 2 * services.FORGOTTEN_AFTER
        Forecast.objects.update(looked_at=long_ago)
        assert not services.is_wanted(begun), "it is closed"
        assert browser.get(f"/forecasts/{outlook.key}/panel").status_code == 200
        assert services.is_wanted(begun)

    def test_what_is_superseded_while_it_is_answered_is_left_undone_and_asked_again(self) -> None:
        spec = experiment()
        outlook = services.ask(spec, "a" * 16)
        begun = Forecast.objects.get(key=outlook.key)
        services.ask(experiment(inner={"steps": 12}), "a" * 16)
        wanted = tasks._wanted(begun)
        tasks.time.sleep(tasks.WANTED_EVERY + 0.05)
        assert not wanted()
        Forecast.objects.filter(key=outlook.key).update(
            begun_at=timezone.now(), answered_at=timezone.now() - timedelta(seconds=6)
        )
        assert services.ask(spec, "a" * 16).state == "waiting"

    def test_the_rest_of_an_edited_draft_waits_for_the_next_edit_and_is_left_after_it(self) -> None:
        old = services.ask(experiment(inner={"steps": 18}), "a" * 16)
        _purge()
        tasks.answer(old.key)
        first = services.outlook_for(old.key)
        assert (first.complete, first.is_open) == (False, True)
        assert first.answer.advice is None
        assert messages_waiting("forecast") == 1, "the rest, a moment later"

        tasks.answer(services.ask(experiment(inner={"steps": 20}), "a" * 16).key)
        tasks.answer(old.key)
        assert services.outlook_for(old.key).stamp == first.stamp, "nobody waits for its rest"

        _purge()
        services.ask(experiment(inner={"steps": 18}), "a" * 16)
        assert messages_waiting("forecast") == 1, "who comes back has it"
        assert services.has_answer(first)
        assert not services.has_answer(first, seen=first.stamp)
        services.ask(experiment(inner={"steps": 18}), "a" * 16)
        assert messages_waiting("forecast") == 1, "once"
        _purge()  # as the worker does that takes it
        tasks.answer(old.key)
        assert services.outlook_for(old.key).complete
        assert services.has_answer(services.outlook_for(old.key), seen=first.stamp)

    def test_what_is_needed_stays_said_where_the_rest_fails(self, monkeypatch) -> None:
        def fails(*_: object) -> None:
            raise RuntimeError("no advice today")

        monkeypatch.setattr(answering, "_looked_into", fails)
        outlook = services.ask(experiment(inner={"steps": 21}))
        tasks.answer(outlook.key)
        found = services.outlook_for(outlook.key)
        assert (found.state, found.complete, found.error) == ("answered", True, "")
        assert found.answer.configurations

    def test_what_is_superseded_in_the_middle_of_a_trace_is_dropped(self, monkeypatch) -> None:
        outlook = services.ask(experiment(inner={"steps": 17}), "a" * 16)
        monkeypatch.setattr(tasks, "WANTED_EVERY", 0.0)
        monkeypatch.setattr(services, "is_superseded", lambda question: next(looks, True))
        looks = iter([False] * 5)
        forget()
        tasks.answer(outlook.key)
        assert services.outlook_for(outlook.key).state == "unknown"
        services.ask(experiment(inner={"steps": 17}), "a" * 16)
        assert services.outlook_for(outlook.key).state == "waiting", "asked anew"

    def test_a_form_that_is_slow_to_look_is_answered_all_the_same(self, monkeypatch) -> None:
        outlook = services.ask(experiment(), "a" * 16)
        monkeypatch.setattr(tasks, "WANTED_EVERY", 0.0)
        Forecast.objects.update(looked_at=timezone.now() - 2 * services.FORGOTTEN_AFTER)
        tasks.answer(outlook.key)
        assert services.outlook_for(outlook.key).answer.configurations


class TestAnswer:
    def test_it_is_the_engine_s_forecast_of_every_configuration(self) -> None:
        worker(ROOMY)
        outlook = answered(sweep={"inner.steps": [10, 30]})
        assert (outlook.state, outlook.error) == ("answered", "")
        items = outlook.answer.configurations
        assert [item.runs for item in items] == [[0, 1], [2, 3], [4, 5], [6, 7]]
        assert [item.position for item in items] == [0, 1, 0, 1]
        assert {item.verdict for item in items} == {"fits"}
        for item, steps in ((items[0], 10), (items[2], 30)):
            alone = forecast(experiment(inner={"steps": steps}))[0]
            assert item.forecast.peak_bytes == alone.peak_bytes
            assert item.forecast.parts == alone.parts

    def test_the_worker_s_task_goes_on_to_advice_and_the_largest_sizes(self, monkeypatch) -> None:
        monkeypatch.setattr(answering, "SECONDS", 8.0)
        worker(ROOMY)
        outlook = services.ask(experiment())
        _purge()  # as the worker does that takes the message
        tasks.answer(outlook.key)
        found = services.outlook_for(outlook.key)
        assert (found.state, found.complete, found.error) == ("answered", True, "")
        assert len(found.answer.advice["summary"]) > 20
        for item in found.answer.configurations:
            for size in item.largest:
                assert size.value is None or size.value >= size.now

    def test_the_rest_gives_way_to_who_waits_and_is_taken_up_again(self, monkeypatch) -> None:
        """A person who asks meanwhile waits for no one's advice and largest sizes."""
        monkeypatch.setattr(answering, "SECONDS", 8.0)
        monkeypatch.setattr(tasks, "TURN_SECONDS", 0.02)
        worker(ROOMY)
        first = services.ask(experiment())
        other = services.ask(experiment(inner={"steps": 30}))
        assert messages_waiting("forecast") == 2
        tasks.answer(first.key)
        found = services.outlook_for(first.key)
        assert found.answer.configurations, "the needs are told in any case"
        assert not found.complete
        assert found.answer.advice is None
        assert messages_waiting("forecast") == 3, "it stands at the end of the queue"
        _purge()
        tasks.answer(other.key)
        needs = [item.forecast for item in found.answer.configurations]
        tasks.answer(first.key)
        found = services.outlook_for(first.key)
        assert found.complete
        assert found.answer.advice
        assert [item.forecast for item in found.answer.configurations] == needs

    def test_what_cannot_be_forecast_says_why(self) -> None:
        outlook = services.ask(experiment())
        Forecast.objects.update(spec={"inner": {"steps": -1}})
        tasks.answer(outlook.key)
        found = services.outlook_for(outlook.key)
        assert found.answer is None
        assert "inner.steps" in found.error
        assert not found.is_open


class TestLaunching:
    def test_what_will_not_fit_is_refused_with_its_fixes_in_every_way(self, browser) -> None:
        worker(NARROW)
        assert answered(**FULL).answer.configurations[0].verdict == "will not fit"
        with pytest.raises(SpecError, match="will not fit") as refused:
            launched(person("bob"), **FULL)
        assert refused.value.errors[0].path == "estimators.0"
        response = post(browser, "/api/v1/experiments", FULL)
        assert response.status_code == 422
        assert "will not fit" in response.json()["errors"][0]["message"]
        assert not Run.objects.exists()

    def test_the_owner_may_insist_and_that_is_recorded(self, browser) -> None:
        worker(NARROW)
        answered(**FULL)
        response = post(browser, "/api/v1/experiments?insist=true", FULL)
        assert response.status_code == 201
        kept = Experiment.objects.get(pk=response.json()["id"])
        assert kept.forecast.insisted
        page = browser.get(f"/experiments/{kept.pk}/").content.decode()
        assert "said not to fit" in page

    def test_insisting_on_what_fits_is_no_insistence(self, browser) -> None:
        worker(ROOMY)
        answered(**FULL)
        assert post(browser, "/api/v1/experiments?insist=true", FULL).status_code == 201
        assert not Experiment.objects.get().forecast.insisted

    def test_without_an_answer_a_launch_goes_on(self) -> None:
        worker(NARROW)
        assert launched(person("bob"), **FULL).runs.count() == 4
        assert not hasattr(Experiment.objects.get(), "forecast")


class TestPages:
    @pytest.fixture
    def posted(self, browser: Client) -> dict[str, list[str]]:
        known = launched(person("bob"), **FULL)
        page = browser.get(f"/experiments/new?experiment={known.pk}").content.decode()
        fields = fields_of(page)
        draft = re.search(r'name="_draft" value="([0-9a-f]{16})"', page)
        return {**fields, "_draft": [draft[1]]}

    def form(self, browser: Client, posted: dict, **changes: Any) -> str:
        response = browser.post(
            "/experiments/form", {**posted, **changes}, headers={"HX-Request": "true"}
        )
        assert response.status_code == 200
        return response.content.decode()

    def test_the_panel_comes_when_there_is_an_answer(self, browser, posted) -> None:
        worker(ROOMY)
        page = self.form(browser, posted)
        key = services.look_up(experiment(**FULL)).key
        assert f'hx-get="/forecasts/{key}/panel"' in page
        assert "data-stale" in page
        assert 'id="forecast" ' not in page, "what the page shows stays, in grey"
        answered(**FULL)
        Forecast.objects.update(complete=True)
        part = browser.get(f"/forecasts/{key}/panel").content.decode()
        assert "hx-get" not in part
        for words in ("fits", "Unrolled, full", "peak of one estimate", "of memory"):
            assert words in part
        assert 'id="forecast"' in self.form(browser, posted)

    def test_its_request_waits_for_the_answer(self, browser, posted, monkeypatch) -> None:
        worker(ROOMY)
        self.form(browser, posted)
        key, looks = services.look_up(experiment(**FULL)).key, []

        def meanwhile(seconds: float) -> None:
            looks.append(seconds)
            if len(looks) == 3:
                answered(**FULL)

        monkeypatch.setattr(services.time, "sleep", meanwhile)
        part = browser.get(f"/forecasts/{key}/panel").content.decode()
        assert "peak of one estimate" in part
        assert sum(looks) < services.PANEL_SECONDS

    def test_a_fix_is_one_click_away(self, browser, posted) -> None:
        worker(NARROW)
        item = answered(**FULL).answer.configurations[0]
        page = self.form(browser, posted)
        assert "Launch anyway" in page
        assert 'value="edit:{' in page
        fix = next(fix for fix in item.fixes if fix.edits)
        fixed = self.form(browser, posted, _action=f"edit:{json.dumps(fix.edits)}")
        assert 'id="workbench"' in fixed
        for value in fix.edits.values():
            if isinstance(value, str):
                assert value in fixed
        nonsense = self.form(browser, posted, _action='edit:{"estimators.9.window": 1}')
        assert 'id="workbench"' in nonsense

    def test_a_refused_launch_offers_to_insist(self, browser, posted) -> None:
        worker(NARROW)
        answered(**FULL)
        before = Experiment.objects.count()
        response = browser.post("/experiments/", posted)
        page = response.content.decode()
        assert response.status_code == 422
        assert "will not fit" in page
        assert 'name="_insist"' in page
        assert Experiment.objects.count() == before
        assert browser.post("/experiments/", {**posted, "_insist": "true"}).status_code == 302

    def test_an_unknown_question_is_an_empty_panel(self, browser) -> None:
        part = browser.get(f"/forecasts/{'0' * 64}/panel").content.decode()
        assert "hx-get" not in part
        assert Client().get(f"/forecasts/{'0' * 64}/panel").status_code == 302


class TestAPI:
    def test_it_says_what_the_command_line_says_and_more(self, browser) -> None:
        worker(ROOMY)
        answered(**FULL)
        Forecast.objects.update(complete=True)
        response = post(browser, "/api/v1/forecast", FULL)
        assert response.status_code == 200
        document = response.json()
        assert document["complete"]
        for row, alone in zip(document["estimators"], forecast(experiment(**FULL)), strict=True):
            told = alone.model_dump(mode="json", exclude={
                "step_seconds", "seconds", "seconds_low", "seconds_high"
            })  # fmt: skip
            assert {name: row[name] for name in told} == told
            assert row["inner_steps"] == alone.run.inner_steps
            assert (row["fits"], row["verdict"], row["runs"]) == (True, "fits", 2)
        assert document["totals"]["runs"] == 4

    def test_without_a_forecast_worker_it_says_so(self, browser) -> None:
        response = post(browser, "/api/v1/forecast", FULL)
        assert response.status_code == 503
        assert "no forecast worker" in response.json()["detail"]

    def test_bad_specs_are_refused_with_the_field(self, browser) -> None:
        response = post(browser, "/api/v1/forecast", {"inner": {"steps": -1}})
        assert response.status_code == 422
        assert response.json()["errors"][0]["path"] == "inner.steps"

    def test_it_is_in_the_schema(self, browser) -> None:
        schema = browser.get("/api/v1/openapi.json").json()
        answers = schema["paths"]["/api/v1/forecast"]["post"]["responses"]
        assert {"200", "202", "422", "503"} <= answers.keys()
        assert "ForecastDocument" in schema["components"]["schemas"]
