"""The search of every page: what it finds, in which words, and that it never breaks."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.webapp.factories import launched, person, signed_in
from webapp.search.finding import find


def found(user, question: str) -> dict[str, list[str]]:
    return {group.name: [hit.title for hit in group.hits] for group in find(user, question, most=5)}


@pytest.mark.django_db
def test_runs_experiments_presets_and_help_are_found(django_assert_num_queries) -> None:
    ada = person("ada")
    experiment = launched(ada, name="Waves in a Valley")
    run = experiment.runs.order_by("number").last()
    assert found(ada, "valley WAVES")["Experiments"] == ["Waves in a Valley"]
    assert len(found(ada, "valley")["Runs"]) == 4
    assert set(found(ada, "valley truncated")["Runs"]) == {run.label}
    assert run.label in found(ada, str(run.pk))["Runs"]
    assert found(ada, "ada valley")["Experiments"] == ["Waves in a Valley"]
    assert any("window" in title for title in found(ada, "short window")["Presets"])
    assert found(ada, "window short")["Gallery"] == ["What happens if the window is short?"]
    with django_assert_num_queries(2):
        help_ = found(ada, "window")["Help"]
    assert "Window" in help_
    assert found(ada, "truncated")["Help"][0] == "Truncated"
    assert found(ada, "valley xyzzy") == {}


@pytest.mark.django_db
def test_every_hit_leads_somewhere() -> None:
    ada = person("ada")
    launched(ada)
    client = signed_in(ada)
    for group in find(ada, "a", most=3):
        for hit in group.hits:
            assert client.get(hit.address).status_code == 200, hit


@pytest.mark.django_db
def test_the_list_is_a_part_and_the_page_is_whole() -> None:
    ada = person("ada")
    launched(ada, name="<b>bowl</b>")
    client = signed_in(ada)
    part = client.get("/search?q=bowl", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "&lt;b&gt;bowl" in part
    ids = re.findall(r'id="([^"]+)"', part)
    assert len(ids) == len(set(ids))
    page = client.get("/search?q=bowl").content.decode()
    assert 'href="/runs/?q=bowl"' in page
    assert "Nothing found" in client.get("/search?q=xyzzy").content.decode()
    assert Client().get("/search?q=bowl").status_code == 302


class TestAnything(TestCase):
    @settings(max_examples=30)
    @given(question=st.text(max_size=120))
    def test_any_text_has_an_answer(self, question: str) -> None:
        self.client.force_login(person("ada"))
        assert self.client.get("/search", {"q": question}).status_code == 200
