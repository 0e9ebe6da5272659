"""The builder asks for a forecast before it makes the form, and shows what came meanwhile."""

from __future__ import annotations

import pytest
from django.test import Client

from engine.spec import validate
from tests.webapp.experiments.form_fields import fields_of
from tests.webapp.factories import person
from webapp import questions
from webapp.experiments import preflights
from webapp.forecasts import services, tasks
from webapp.forecasts.answering import answers
from webapp.forecasts.models import Forecast


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_came_while_the_form_was_made_is_part_of_it(
    client: Client, monkeypatch
) -> None:
    client.force_login(person("ada"))
    fields = fields_of(client.get("/experiments/new?preset=persistent-evolution").content.decode())
    ask = preflights.ask

    def answered_meanwhile(experiment):
        """The forecast worker is quicker than the rest of the form."""
        for key in Forecast.objects.filter(begun_at=None).values_list("key", flat=True):
            spec = validate(questions.begin(Forecast, key))
            growing = answers(spec, [], forecaster=tasks.forecaster, wanted=lambda: True)
            needs, complete = next(growing)
            services.answer(key, needs, complete=complete)
        return ask(experiment)

    monkeypatch.setattr(preflights, "ask", answered_meanwhile)
    posted = client.post(
        "/experiments/form", {**fields, "inner.steps": ["61"]}, headers={"HX-Request": "true"}
    ).content.decode()
    assert 'class="forecast-rows"' in posted
    assert "data-stale" not in posted
