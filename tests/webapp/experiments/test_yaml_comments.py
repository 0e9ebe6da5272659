"""Comments in the YAML tab outlive what is done in the form."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from engine.spec import read_text
from tests.webapp.experiments.form_fields import fields_of
from tests.webapp.factories import person
from webapp.experiments.models import Experiment, SavedDraft

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
TEXT = """\
# for the second lecture

name: a bowl
inner_task: {kind: quadratic, dimension: 4}
inner:
  steps: 20  # as short as it can be
estimators:
- kind: unrolled
# the biased one
- kind: truncated
  window: 3
"""


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(person("ada"))
    return client


def opened(browser: Client) -> dict[str, list[str]]:
    """The form's fields after `TEXT` was typed into the tab."""
    fields = fields_of(browser.get("/experiments/new").content.decode())
    answer = browser.post("/experiments/yaml", fields | {"_yaml": [TEXT]}, headers=HTMX)
    assert answer.status_code == 200, answer.content
    return fields_of(answer.content.decode()) | {"_yaml": [TEXT]}


def yaml_after(browser: Client, fields: dict[str, list[str]], **more: list[str]) -> str:
    answer = browser.post("/experiments/form", fields | more, headers=HTMX)
    return text_in(answer.content.decode())


def text_in(page: str) -> str:
    found = re.search(r'<textarea id="yaml-text".*?>(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1]).lstrip("\n")


def test_a_value_that_changes_keeps_its_comment(browser: Client) -> None:
    text = yaml_after(browser, opened(browser), **{"inner.steps": ["40"]})
    assert "steps: 40  # as short as it can be" in text
    assert text.startswith("# for the second lecture\n\nname: a bowl\n")
    assert read_text(text).inner.steps == 40


def test_a_comment_stays_with_its_estimator_when_another_goes(browser: Client) -> None:
    text = yaml_after(browser, opened(browser), _action=["remove:estimators:0"])
    lines = text.splitlines()
    assert lines[lines.index("estimators:") + 1 :][:2] == ["# the biased one", "- kind: truncated"]
    gone = yaml_after(browser, opened(browser), _action=["remove:estimators:1"])
    assert "# the biased one" not in gone


@pytest.mark.parametrize(
    ("action", "before"),
    [
        ("duplicate:estimators:0", 2),
        ("duplicate:estimators:1", 1),
        ("add:estimators:implicit", 1),
        ("drop:estimators:unrolled", 0),
        ("drop:estimators:implicit", 1),
        ("duplicate:estimators:7", 1),
        ("edit:{}", 1),
    ],
)
def test_a_list_that_changes_takes_its_comments_along(
    browser: Client, action: str, before: int
) -> None:
    text = yaml_after(browser, opened(browser), _action=[action])
    above = text[: text.index("# the biased one")]
    assert above[above.index("estimators:") :].count("- kind:") == before


def test_a_draft_keeps_them(browser: Client) -> None:
    fields = opened(browser)
    yaml_after(browser, fields, **{"inner.steps": ["40"]})
    draft = SavedDraft.objects.get()
    page = browser.get(f"/experiments/new?draft={draft.key}").content.decode()
    assert "steps: 40  # as short as it can be" in text_in(page)


def test_a_form_with_an_error_keeps_them_too(browser: Client) -> None:
    text = yaml_after(browser, opened(browser), **{"inner.steps": ["many"]})
    assert "steps: many  # as short as it can be" in text


def test_text_with_comments_is_launched(browser: Client) -> None:
    fields = opened(browser) | {"_ahead": ["yaml"]}
    assert browser.post("/experiments/", fields).status_code == 302
    assert Experiment.objects.get().name == "a bowl"
