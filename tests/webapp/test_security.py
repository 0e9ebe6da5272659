"""The wall around the pages, and the headers of every answer."""

import re
from pathlib import Path

import pytest
from django.test import Client

ROOT = Path(__file__).resolve().parents[2]


def test_a_fragment_is_answered_with_a_redirect_of_the_whole_page(client: Client):
    answer = client.get("/account/", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/sign-in/"


@pytest.mark.django_db
def test_the_api_answers_visitors_in_its_own_language(client: Client):
    answer = client.get("/api/v1/runs")
    assert answer.status_code == 401
    assert answer.json()["detail"] == "Sign in first, or send a token."


def test_every_answer_has_the_secure_headers(client: Client):
    headers = client.get("/sign-in/").headers
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_a_host_that_is_not_the_lab_is_refused(client: Client):
    assert client.get("/sign-in/", headers={"Host": "evil.example"}).status_code == 400


def test_the_page_of_what_is_defended_names_files_that_are_there():
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"\]\(([^)#]+)\)", text)
    assert len(named) > 40
    assert [path for path in named if not (ROOT / "docs" / path).exists()] == []
