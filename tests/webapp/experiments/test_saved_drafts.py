"""Drafts save themselves, survive whatever a form holds, and are never overwritten unseen."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.webapp.experiments.form_fields import fields_of
from tests.webapp.factories import launched, person
from webapp.experiments import saved_drafts
from webapp.experiments.models import Experiment, SavedDraft

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def ada():
    return person("ada")


@pytest.fixture
def browser(ada, client: Client) -> Client:
    client.force_login(ada)
    return client


def opened(browser: Client, query: str = "preset=short-window") -> dict[str, list[str]]:
    """The fields of a form that was just opened in a tab."""
    page = browser.get(f"/experiments/new?{query}")
    assert page.status_code == 200
    return fields_of(page.content.decode())


def edit(browser: Client, fields: dict[str, list[str]], number: int = 1, **changes: str):
    changed = {name.replace("__", "."): [value] for name, value in changes.items()}
    fields |= changed | {"_edit": [str(number)]}
    return browser.post("/experiments/form", fields, headers=HTMX)


def test_looking_at_a_form_makes_no_draft(browser) -> None:
    fields = opened(browser)
    edit(browser, fields)
    assert not SavedDraft.objects.exists()


def test_a_change_is_saved_and_found_again(browser, ada) -> None:
    answer = edit(browser, opened(browser), name="half a thought", inner__steps="fifty")
    draft = SavedDraft.objects.get()
    assert "Saved" in answer.content.decode()
    assert answer.headers["HX-Replace-Url"] == f"/experiments/new?draft={draft.key}"
    again = browser.get(f"/experiments/new?draft={draft.key}").content.decode()
    fields = fields_of(again)
    assert fields["name"] == ["half a thought"]
    assert fields["inner.steps"] == ["fifty"], "what is wrong is kept too"
    assert fields["_preset"] == ["short-window"]
    assert "From the preset" in again
    assert "half a thought" in browser.get("/").content.decode()


@pytest.mark.parametrize("name", ["a\x00b", "x" * 5000, "</script>", "  "])
def test_whatever_a_form_holds_is_kept(browser, name: str) -> None:
    fields = opened(browser) | {"name": [name], "bogus.field": ["1"]}
    assert edit(browser, fields).status_code == 200
    [draft] = SavedDraft.objects.all()
    assert draft.document["name"] == name
    assert draft.document["bogus"] == {"field": "1"}
    assert browser.get("/").status_code == 200
    assert browser.get(f"/experiments/new?draft={draft.key}").status_code == 200


def test_a_second_tab_overwrites_nothing_that_it_has_not_seen(browser) -> None:
    first = opened(browser)
    edit(browser, first, 1, name="one")
    draft = SavedDraft.objects.get()
    second = opened(browser, f"draft={draft.key}")
    edit(browser, second, 1, name="two")
    draft.refresh_from_db()
    assert draft.name == "two", "the second tab has seen what the first one wrote"
    answer = edit(browser, first, 2, name="three").content.decode()
    draft.refresh_from_db()
    assert draft.name == "two"
    assert "Another tab changed this draft" in answer
    edit(browser, first, 3, name="three", _saved="new")
    assert sorted(kept.name for kept in SavedDraft.objects.all()) == ["three", "two"]


def test_an_older_change_that_comes_late_overwrites_nothing(browser) -> None:
    fields = opened(browser)
    edit(browser, fields, 2, name="newer")
    edit(browser, fields, 1, name="older")
    assert SavedDraft.objects.get().name == "newer"


def test_yaml_that_is_no_experiment_is_kept_with_the_form_beside_it(browser) -> None:
    fields = opened(browser) | {"_yaml": ["name: [half"], "_ahead": ["yaml"], "_edit": ["1"]}
    answer = browser.post("/experiments/yaml", fields, headers=HTMX)
    assert answer.status_code == 200
    assert "Line 1, column" in answer.content.decode()
    draft = SavedDraft.objects.get()
    again = browser.get(f"/experiments/new?draft={draft.key}").content.decode()
    assert "name: [half</textarea>" in again
    assert fields_of(again)["inner.steps"] == ["40"]
    assert fields_of(again)["_ahead"] == ["yaml"]
    refused = browser.post("/experiments/", fields)
    assert refused.status_code == 422
    assert not Experiment.objects.exists(), "text that is ahead is never passed over"


def test_text_that_is_ahead_of_the_form_is_what_is_launched(browser) -> None:
    text = "name: from text\ninner: {steps: 7}\n"
    browser.post("/experiments/", opened(browser) | {"_yaml": [text], "_ahead": ["yaml"]})
    assert Experiment.objects.get().name == "from text"


def test_a_launched_draft_leaves_the_list_and_stays_for_who_goes_back(browser) -> None:
    fields = opened(browser)
    edit(browser, fields, name="to be launched")
    key = SavedDraft.objects.get().key
    assert browser.post("/experiments/", fields).status_code == 302
    assert f"draft={key}" not in browser.get("/").content.decode()
    assert browser.get(f"/experiments/new?draft={key}").status_code == 200


def test_a_discarded_draft_comes_back(browser) -> None:
    edit(browser, opened(browser), name="not now")
    key = SavedDraft.objects.get().key
    answer = browser.post(f"/experiments/drafts/{key}/discard", headers=HTMX).content.decode()
    assert "Discarded “not now”" in answer
    assert f"draft={key}" not in answer
    plain = browser.post(f"/experiments/drafts/{key}/discard")
    assert "Undo" in browser.get(plain.url).content.decode()
    answer = browser.post(f"/experiments/drafts/{key}/restore", headers=HTMX).content.decode()
    assert f"draft={key}" in answer


def test_drafts_are_ones_own(browser, client: Client) -> None:
    fields = opened(browser)
    edit(browser, fields, name="of ada alone")
    key = SavedDraft.objects.get().key
    client.force_login(person("grace"))
    assert client.get(f"/experiments/new?draft={key}").status_code == 404
    assert client.post(f"/experiments/drafts/{key}/discard").status_code == 404
    assert client.post("/experiments/form", fields, headers=HTMX).status_code == 404
    assert "of ada alone" not in client.get("/").content.decode()
    assert client.get("/experiments/new?draft=x%00").status_code == 404
    assert SavedDraft.objects.get().name == "of ada alone"


def test_the_draft_of_a_clone_remembers_its_parent(browser, ada) -> None:
    run = launched(ada).runs.first()
    fields = opened(browser, f"clone={run.pk}")
    edit(browser, fields, inner__steps="12")
    key = SavedDraft.objects.get().key
    again = browser.get(f"/experiments/new?draft={key}").content.decode()
    assert f"run {run.pk}</a>" in again
    browser.post("/experiments/", fields_of(again))
    assert Experiment.objects.first().parent_id == run.experiment_id


def test_there_is_an_end_to_drafts(ada, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_drafts, "MOST_DRAFTS", 2)
    save = {"owner": ada, "source": "", "source_key": "", "begin": True, "yaml": ""}
    for _ in range(4):
        saved_drafts.save(form=saved_drafts.open_form({}), document={"name": "x"}, **save)
    assert len(saved_drafts.drafts_of(ada)) == 2
    week_ago = timezone.now() - timedelta(days=8)
    SavedDraft.objects.exclude(discarded_at=None).update(discarded_at=week_ago)
    saved_drafts.save(form=saved_drafts.open_form({}), document={"name": "x"}, **save)
    assert SavedDraft.objects.count() == 3, "two on the list, one that was just put away"
    huge = saved_drafts.save(
        form=saved_drafts.open_form({}), document={"name": "x" * 500_000}, **save
    )
    assert huge.state == "too large"


def test_a_changed_field_shows_what_it_was(browser, ada) -> None:
    run = launched(ada).runs.first()
    page = edit(browser, opened(browser, f"clone={run.pk}"), inner__steps="12")
    key = SavedDraft.objects.get().key
    page = browser.get(f"/experiments/new?draft={key}").content.decode()
    [field] = re.findall(r'<div class="field" data-original="10" data-changed>', page)
    assert field
    assert "was 10" in page
