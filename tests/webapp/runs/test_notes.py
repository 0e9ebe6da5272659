"""What people write of a run: kept once, never lost, and harmless on the page."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webapp.factories import first_run, person, signed_in
from webapp.accounts.models import User
from webapp.runs.markdown import to_html
from webapp.runs.models import Run


@pytest.fixture
def ada(db) -> User:
    return person("ada")


def write(user: User, run: Run, text: str, seen: object) -> tuple[int, str]:
    sent = {"notes": text, "seen": seen}
    answer = signed_in(user).post(f"/runs/{run.pk}/notes/", sent, headers={"HX-Request": "true"})
    return answer.status_code, answer.content.decode()


def test_notes_are_kept_and_drawn(ada: User) -> None:
    run = first_run(ada)
    status, html = write(
        ada, run, "**Short** windows\r\nare biased.\n\n| a | b |\n|-|-|\n| 1 | 2 |", 0
    )
    assert status == 200
    assert "<strong>Short</strong> windows\nare biased." in html
    assert "<td>1</td>" in html
    run.refresh_from_db()
    assert (run.notes_version, run.notes.count("\r")) == (1, 0)
    assert "<strong>Short</strong>" in signed_in(ada).get(f"/runs/{run.pk}/").content.decode()


def test_who_was_overtaken_loses_nothing(ada: User) -> None:
    run = first_run(ada)
    write(ada, run, "first", 0)
    status, html = write(ada, run, "mine <b>", 0)
    assert status == 422
    assert "Somebody wrote the notes while you did" in html
    assert "<p>first</p>" in html, "what stands"
    assert ">mine &lt;b&gt;</textarea>" in html, "and what was written"
    assert Run.objects.get(pk=run.pk).notes == "first"
    seen = re.search(r'name="seen" value="(\d+)"', html).group(1)
    assert write(ada, run, "both", seen)[0] == 200
    assert Run.objects.get(pk=run.pk).notes == "both"


@pytest.mark.parametrize(
    ("text", "seen", "word"),
    [
        ("x" * 50_001, 0, "notes: 50,001 characters; allowed: at most 50,000."),
        ("a\x00b", 0, "null character"),
        ("a", "", "Somebody wrote"),
        ("a", "9" * 30, "Somebody wrote"),
        ("a", "-1", "Somebody wrote"),
    ],
)
def test_what_cannot_be_kept_is_given_back(ada: User, text: str, seen: object, word: str) -> None:
    run = first_run(ada)
    status, html = write(ada, run, text, seen)
    assert status == 422
    assert word in html
    assert Run.objects.get(pk=run.pk).notes == ""


def test_a_run_has_the_name_that_people_give_it(ada: User) -> None:
    run = first_run(ada)
    client = signed_in(ada)
    html = client.post(f"/runs/{run.pk}/rename/", {"name": "  The  <good> one "}, follow=True)
    assert "<h1>The &lt;good&gt; one</h1>" in html.content.decode()
    client.post(f"/runs/{run.pk}/rename/", {"name": "y" * 201})
    assert Run.objects.get(pk=run.pk).title == "The <good> one"
    client.post(f"/runs/{run.pk}/rename/", {"name": " "})
    assert Run.objects.get(pk=run.pk).title == run.label


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("<script>alert(1)</script>", "<script"),
        ("[a](javascript:alert(1))", 'href="javascript'),
        ("![a](https://example.org/a.png)", "<img"),
        ('<a href="x" onclick="y">b</a>', "<a "),
        ("[a](https://example.org 'title')", "title="),
    ],
)
def test_notes_can_do_no_harm(text: str, gone: str) -> None:
    assert gone not in to_html(text)


def test_links_and_heads_of_notes() -> None:
    assert to_html("# Head") == "<h2>Head</h2>\n"
    assert to_html("[a](https://example.org)") == (
        '<p><a href="https://example.org" rel="noopener noreferrer nofollow">a</a></p>\n'
    )
    assert to_html("a ~~b~~") == "<p>a <s>b</s></p>\n"


TAGS = re.compile(r"<[a-zA-Z/][^>]*>")
ALLOWED = "blockquote|br|code|del|em|h[2-6]|hr|li|ol|p|pre|s|strong|table|tbody|td|th|thead|tr|ul"
SAFE = re.compile(rf'</?(?:{ALLOWED})(?: start="\d+")?>|</?a(?: href="[^"]*")?(?: rel="[a-z ]+")?>')


@given(
    st.text(
        alphabet=st.sampled_from("<>&\"'`*_#[]()!~|-=\n\t abhrefonclicksvgjt:/\\;0"), max_size=120
    )
)
def test_any_text_gives_only_what_is_allowed(text: str) -> None:
    for tag in TAGS.findall(to_html(text)):
        assert SAFE.fullmatch(tag), tag
