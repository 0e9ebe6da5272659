"""Sessions: a new key at sign-in, an end, and the end of all of them at once."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from tests.webapp.factories import person
from webapp.accounts.models import SignInToken, User
from webapp.accounts.services import sign_in_path
from webapp.audit.models import Entry

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough passphrase"


@pytest.fixture
def ada() -> User:
    user = person("ada")
    user.set_password(PASSWORD)
    user.save()
    return user


def signed_in() -> Client:
    client = Client()
    answer = client.post("/sign-in/", {"username": "ada", "password": PASSWORD})
    assert answer.status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def test_signing_out_ends_the_session_and_not_only_the_cookie(ada):
    client, kept = signed_in(), Client()
    kept.cookies["sessionid"] = client.cookies["sessionid"].value
    assert is_in(kept)
    client.post("/sign-out/")
    assert not is_in(kept)


def test_a_session_that_was_planted_is_not_signed_in(ada):
    planted = Client()
    planted.session.save()
    key = planted.cookies["sessionid"].value
    planted.post("/sign-in/", {"username": "ada", "password": PASSWORD})
    assert is_in(planted)
    assert planted.cookies["sessionid"].value != key


def test_a_session_lasts_two_weeks(ada):
    assert settings.SESSION_COOKIE_AGE == 14 * 24 * 3600
    assert signed_in().cookies["sessionid"]["max-age"] == settings.SESSION_COOKIE_AGE


def test_signing_out_everywhere_else_ends_all_sessions_but_this_and_unused_links(ada):
    here, there, by_link = signed_in(), signed_in(), Client()
    by_link.get(sign_in_path(user=ada))
    unused = sign_in_path(user=ada)
    assert all(map(is_in, (here, there, by_link)))
    page = here.post("/account/sign-out-elsewhere", follow=True)
    assert "signed out on every other device" in page.content.decode()
    assert is_in(here)
    assert not is_in(there)
    assert not is_in(by_link)
    assert Client().get(unused).status_code == 403
    assert not SignInToken.objects.filter(user=ada, used_at=None).exists()
    assert Entry.objects.filter(action="sign out everywhere", actor=ada).count() == 1


def test_another_person_stays_signed_in(ada):
    mel = Client()
    mel.force_login(person("mel"))
    signed_in().post("/account/sign-out-elsewhere")
    assert is_in(mel)


def test_a_new_password_ends_the_other_sessions(ada):
    here, there = signed_in(), signed_in()
    new = {"new_password1": "another long passphrase", "new_password2": "another long passphrase"}
    assert here.post("/account/", new).status_code == 302
    assert is_in(here)
    assert not is_in(there)


@pytest.mark.parametrize(
    ("password", "complaint"),
    [
        ("short", "at least 10 characters"),
        ("password123", "too common"),
        ("8412736450912", "entirely numeric"),
        ("ada-lovelace", "too similar"),
    ],
)
def test_a_weak_password_is_refused_in_words(password: str, complaint: str):
    ada = person("ada-lovelace")
    client = Client()
    client.force_login(ada)
    answer = client.post("/account/", {"new_password1": password, "new_password2": password})
    assert complaint in answer.content.decode()
    ada.refresh_from_db()
    assert not ada.has_usable_password()
