"""Signing in by password and by a one-time link, signing out, setting a password."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from webapp.accounts.models import SignInToken, User
from webapp.accounts.services import create_member, sign_in_path
from webapp.accounts.tasks import clear_expired

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def member() -> User:
    return User.objects.create_user("ada", password=PASSWORD)


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_visitor_is_sent_to_the_sign_in_page_and_back(client: Client, member: User):
    answer = client.get("/account/")
    assert answer.status_code == 302
    assert answer.url == "/sign-in/?next=/account/"
    page = client.get(answer.url)
    assert page.status_code == 200
    assert b'name="next" value="/account/"' in page.content
    answer = client.post(
        "/sign-in/", {"username": "ada", "password": PASSWORD, "next": "/account/"}
    )
    assert answer.url == "/account/"
    assert client.get("/account/").status_code == 200


def test_signing_in_never_leads_to_another_site(client: Client, member: User):
    answer = client.post(
        "/sign-in/", {"username": "ada", "password": PASSWORD, "next": "https://evil.example/"}
    )
    assert answer.url == "/"


def test_a_wrong_password_gets_a_sentence(client: Client, member: User):
    page = client.post("/sign-in/", {"username": "ada", "password": "wrong"})
    assert b"do not match" in page.content
    assert not signed_in(client)


def attempts(client: Client, settings, *, name: str = "ada") -> None:
    for _attempt in range(settings.AXES_FAILURE_LIMIT):
        client.post("/sign-in/", {"username": name, "password": "wrong"})


def test_attempts_on_one_name_are_limited(client: Client, member: User, settings):
    attempts(client, settings)
    page = client.post("/sign-in/", {"username": "ada", "password": PASSWORD})
    assert page.status_code == 429
    assert page.headers["Retry-After"] == "300"
    assert b"Too many attempts" in page.content
    assert not signed_in(client)


def test_attempts_from_elsewhere_lock_nobody_out(client: Client, member: User, settings):
    attempts(Client(REMOTE_ADDR="192.0.2.7"), settings)
    client.post("/sign-in/", {"username": "ada", "password": PASSWORD})
    assert signed_in(client)


def test_after_a_while_the_door_opens_again(client: Client, member: User, settings):
    attempts(client, settings)
    AccessAttempt.objects.update(attempt_time=timezone.now() - settings.AXES_COOLOFF_TIME)
    client.post("/sign-in/", {"username": "ada", "password": PASSWORD})
    assert signed_in(client)


def test_a_locked_name_signs_in_by_a_link(client: Client, member: User, settings):
    attempts(client, settings)
    client.get(sign_in_path(user=member))
    assert signed_in(client)


def test_passwords_are_kept_with_argon2(settings, client: Client):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    user = User.objects.create_user("grace", password=PASSWORD)
    assert user.password.startswith("argon2$argon2id$")
    client.post("/sign-in/", {"username": "grace", "password": PASSWORD})
    assert signed_in(client)


def test_a_link_signs_in_once(member: User):
    path = sign_in_path(user=member)
    first, second = Client(), Client()
    answer = first.get(path)
    assert answer.status_code == 302
    assert answer.url == "/"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer.headers["Cache-Control"]
    assert signed_in(first)
    refused = second.get(path)
    assert refused.status_code == 403
    assert b"works once" in refused.content
    assert not signed_in(second)


def test_the_person_whom_a_link_signed_in_may_open_it_again(client: Client, member: User):
    path = sign_in_path(user=member)
    client.get(path)
    assert client.get(path).url == "/"


def test_a_link_is_stored_hashed(member: User):
    token = SignInToken.objects.issue(member)
    stored = SignInToken.objects.get()
    assert token not in (stored.digest, str(stored))
    assert len(stored.digest) == 64


def test_a_link_expires(client: Client, member: User):
    path = sign_in_path(user=member)
    SignInToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get(path).status_code == 403


def test_what_is_expired_is_cleared_and_nothing_else(client: Client, member: User):
    client.force_login(member)
    SignInToken.objects.issue(member)
    SignInToken.objects.issue(member)
    first = SignInToken.objects.order_by("pk").first()
    SignInToken.objects.filter(pk=first.pk).update(expires_at=timezone.now())
    Session.objects.create(
        session_key="old", session_data="", expire_date=timezone.now() - timedelta(seconds=1)
    )
    clear_expired()
    assert SignInToken.objects.exclude(pk=first.pk).count() == SignInToken.objects.count() == 1
    assert list(Session.objects.all()) == [Session.objects.get(pk=client.session.session_key)]


def test_a_link_of_somebody_who_left_is_refused(client: Client, member: User):
    path = sign_in_path(user=member)
    User.objects.update(is_active=False)
    assert client.get(path).status_code == 403


def test_a_made_up_link_is_refused(client: Client):
    assert client.get("/sign-in/made-up/").status_code == 403


def test_signing_out_needs_a_post(client: Client, member: User):
    client.force_login(member)
    assert client.get("/sign-out/").status_code == 405
    assert signed_in(client)
    assert client.post("/sign-out/").url == "/sign-in/"
    assert not signed_in(client)


def test_signing_out_needs_a_csrf_token(member: User):
    client = Client(enforce_csrf_checks=True)
    client.force_login(member)
    assert client.post("/sign-out/").status_code == 403
    assert signed_in(client)


def test_a_member_who_came_by_a_link_sets_a_password(client: Client):
    client.force_login(create_member(name="emmy"))
    weak = client.post("/account/", {"new_password1": "short", "new_password2": "short"})
    assert b"too short" in weak.content
    answer = client.post("/account/", {"new_password1": PASSWORD, "new_password2": PASSWORD})
    assert answer.url == "/account/"
    assert client.get("/account/").status_code == 200, "the session goes on"
    elsewhere = Client()
    elsewhere.post("/sign-in/", {"username": "emmy", "password": PASSWORD})
    assert signed_in(elsewhere)
