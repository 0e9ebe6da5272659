"""The home page says what runs, what ran and what to do where there is nothing."""

from __future__ import annotations

import numpy as np
import pytest
from django.test import Client

from engine.presets import PRESETS
from tests.webapp.factories import claimed, first_run, launched, person, points
from webapp.experiments.preset_cards import card_of, cards_by_topic
from webapp.experiments.sparklines import sparkline
from webapp.runs import services
from webapp.runs.models import Run, Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return person("ada")


@pytest.fixture
def browser(ada, client: Client) -> Client:
    client.force_login(ada)
    return client


def test_an_empty_lab_says_what_to_do(browser) -> None:
    page = browser.get("/").content.decode()
    assert "Nothing is running" in page
    assert "You have no runs yet" in page
    assert "No experiments yet" in page
    assert "What happens with a short truncation window?" in page


def test_what_runs_is_shown_with_its_progress_and_curve(browser, ada) -> None:
    run = claimed(first_run(ada, name="a bowl that runs"))
    services.record_points(run_id=run.pk, attempt=run.attempt, points=points(1, 10))
    page = browser.get("/").content.decode()
    part = browser.get("/home/running").content.decode()
    for text in (page, part):
        assert "a bowl that runs" in text
        assert "0 of 4 runs ended" in text
        assert "12 %" in text, "10 of 80 outer steps"
        assert "<polyline" in text
    assert f'href="/runs/{run.pk}/"' in page


def test_the_labs_experiments_are_everyones_and_my_runs_are_mine(browser) -> None:
    launched(person("grace"), name="a bowl of grace")
    page = browser.get("/").content.decode()
    assert "a bowl of grace" in page
    assert "You have no runs yet" in page


def test_who_has_runs_finds_them_above_the_questions(browser, ada) -> None:
    def order() -> list[str]:
        page = browser.get("/").content.decode()
        return sorted(("mine-title", "presets-title"), key=lambda part: page.index(f'id="{part}"'))

    assert order() == ["presets-title", "mine-title"]
    launched(ada)
    assert order() == ["mine-title", "presets-title"]


def test_a_curve_that_is_not_finite_is_drawn_where_it_is() -> None:
    run = Run(pk=1, colour=8, total_steps=4)
    values = np.array([1.0, np.nan, np.inf, 0.0])
    drawn = sparkline([run], {1: {"meta_loss": (np.arange(4), values)}})
    assert [line.colour for line in drawn.lines] == [1]
    assert len(drawn.lines[0].points.split()) == 2
    nothing = sparkline([run], {1: {"meta_loss": (np.arange(1), np.array([np.nan]))}})
    assert nothing.lines == []


def test_a_preset_says_what_it_compares_and_shows_what_it_gave(browser, ada) -> None:
    card = card_of(PRESETS[0])
    assert (card.runs, card.horizon) == (5, "40 inner steps")
    whole, last = card.reaches[0], card.reaches[1]
    assert (whole.start, whole.end) == (4.0, 92.0), "an unrolled estimator sees all of the loop"
    assert (last.start, last.end) == (89.8, 92.0), "a window of 1 sees its last fortieth"
    assert 'data-words="what happens with a short truncation window?' in browser.get("/").text
    assert "drawing-short-window" not in browser.get("/presets/results").text

    browser.post("/presets/short-window/launch")
    run = claimed(Run.objects.order_by("number").first())
    services.record_points(run_id=run.pk, attempt=run.attempt, points=points(1, 10))
    services.finish(run_id=run.pk, attempt=run.attempt, status=Status.FINISHED)
    drawn = browser.get("/presets/results").text
    assert 'id="drawing-short-window"' in drawn
    assert drawn.count("<polyline") == 1


def test_every_preset_has_a_drawing() -> None:
    for cards in cards_by_topic().values():
        for card in cards:
            assert card.reaches, card.preset.slug
            assert all(line.start <= line.end <= 92 for line in card.reaches)
