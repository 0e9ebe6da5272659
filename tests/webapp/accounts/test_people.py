"""Roles, invitations and leaving: what an admin may do about people, and what nobody else may."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.webapp.factories import first_run, person, signed_in
from webapp.accounts.models import Invitation, User
from webapp.accounts.services import issue_token
from webapp.audit.models import Entry

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def admin() -> User:
    return person("ada", role=User.Role.ADMIN)


@pytest.fixture
def bob() -> User:
    return person("bob")


@pytest.fixture
def as_admin(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def link_in(page: str) -> str:
    """The path of the link that a page shows once."""
    return page.split('id="new-link">')[1].split("<")[0].removeprefix("http://testserver")


def invited(as_admin: Client, role: str = "member") -> str:
    return link_in(
        as_admin.post("/people/invite", {"note": "a new student", "role": role}).content.decode()
    )


def joined(path: str, name: str = "grace", password: str = PASSWORD) -> Client:
    visitor = Client()
    visitor.post(path, {"name": name, "password": password})
    return visitor


class TestInvitations:
    @pytest.mark.parametrize("role", ["viewer", "member", "admin"])
    def test_whoever_opens_one_joins_with_its_role(self, as_admin: Client, role: str):
        path = invited(as_admin, role)
        shown = Client().get(path)
        assert shown.status_code == 200
        assert shown.headers["Referrer-Policy"] == "no-referrer"
        assert b"ada invites you" in shown.content
        visitor = joined(path)
        assert visitor.get("/account/").status_code == 200
        grace = User.objects.get(username="grace")
        assert grace.role == role
        assert grace.check_password(PASSWORD)
        assert Invitation.objects.get().used_by == grace

    def test_it_works_once(self, as_admin: Client):
        path = invited(as_admin)
        joined(path)
        assert joined(path, name="second").get(path).status_code == 403
        assert not User.objects.filter(username="second").exists()

    def test_it_is_kept_hashed_and_shown_once(self, as_admin: Client):
        token = invited(as_admin).split("/")[2]
        assert token not in str(Invitation.objects.values().get())
        assert token not in as_admin.get("/people/").content.decode()

    def test_it_ends(self, as_admin: Client):
        path = invited(as_admin)
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert Client().get(path).status_code == 403

    def test_it_can_be_withdrawn(self, as_admin: Client):
        path = invited(as_admin)
        as_admin.post(f"/people/invitations/{Invitation.objects.get().pk}/withdraw")
        assert Client().get(path).status_code == 403

    @pytest.mark.parametrize(
        ("name", "password", "sentence"),
        [
            ("ada", PASSWORD, "already exists"),
            ("a b", PASSWORD, "Enter a valid username"),
            ("grace", "short", "too short"),
            ("", PASSWORD, "required"),
        ],
    )
    def test_a_mistake_uses_nothing_up(
        self, as_admin: Client, name: str, password: str, sentence: str
    ):
        path = invited(as_admin)
        answer = Client().post(path, {"name": name, "password": password})
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
        assert Client().get(path).status_code == 200

    def test_a_role_that_does_not_exist_is_refused(self, as_admin: Client):
        answer = as_admin.post("/people/invite", {"note": "x", "role": "root"})
        assert answer.status_code == 422
        assert not Invitation.objects.exists()


class TestRoles:
    def test_an_admin_changes_them(self, as_admin: Client, bob: User):
        as_admin.post(f"/people/{bob.pk}/change", {"role": "viewer"})
        bob.refresh_from_db()
        assert bob.only_looks

    @pytest.mark.parametrize("change", [{"role": "member"}, {"active": "no"}])
    def test_the_lab_keeps_an_admin(self, as_admin: Client, admin: User, change: dict):
        answer = as_admin.post(f"/people/{admin.pk}/change", change, follow=True)
        assert b"is the only admin" in answer.content
        admin.refresh_from_db()
        assert admin.is_lab_admin
        assert admin.is_active

    def test_whoever_is_let_out_is_out_at_once(self, as_admin: Client, bob: User):
        theirs = signed_in(bob)
        assert theirs.get("/account/").status_code == 200
        as_admin.post(f"/people/{bob.pk}/change", {"active": "no"})
        assert theirs.get("/account/").status_code == 302
        as_admin.post(f"/people/{bob.pk}/change", {"active": "yes"})
        theirs.force_login(bob)
        assert theirs.get("/account/").status_code == 200

    def test_a_sign_in_link_is_made_for_somebody(self, as_admin: Client, bob: User):
        path = link_in(as_admin.post(f"/people/{bob.pk}/link").content.decode())
        theirs = Client()
        theirs.get(path)
        assert b"bob" in theirs.get("/account/").content

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("get", "/people/"),
            ("post", "/people/invite"),
            ("post", "/people/invitations/1/withdraw"),
            ("post", "/people/1/change"),
            ("post", "/people/1/link"),
            ("get", "/audit/"),
        ],
    )
    def test_for_a_member_none_of_it_is_there(
        self, client: Client, bob: User, method: str, path: str
    ):
        client.force_login(bob)
        assert getattr(client, method)(path).status_code == 404


class TestViewers:
    @pytest.fixture
    def viewer(self, client: Client) -> Client:
        client.force_login(person("vic", role=User.Role.VIEWER))
        return client

    def test_they_see_everything(self, viewer: Client, bob: User):
        run = first_run(bob)
        for path in ("/", "/runs/", f"/runs/{run.pk}/", "/experiments/new", "/queue/"):
            assert viewer.get(path).status_code == 200, path

    def test_they_launch_and_change_nothing(self, viewer: Client, bob: User):
        run = first_run(bob)
        for path in (
            "/experiments/",
            f"/runs/{run.pk}/cancel/",
            f"/runs/{run.pk}/delete/",
            f"/experiments/{run.experiment_id}/rename/",
            "/presets/quickstart/launch",
        ):
            assert viewer.post(path).status_code == 403, path
        answer = viewer.post("/api/v1/experiments", b"{}", content_type="application/json")
        assert answer.status_code == 403
        assert bob.experiments.count() == 1

    def test_not_even_what_was_theirs_before(self, client: Client, bob: User):
        run = first_run(bob)
        User.objects.update(role=User.Role.VIEWER)
        client.force_login(User.objects.get(pk=bob.pk))
        assert client.post(f"/runs/{run.pk}/cancel/").status_code == 403

    def test_nor_does_a_token_of_theirs(self, client: Client):
        vic = person("vic", role=User.Role.VIEWER)
        token = issue_token(user=vic, name="t", scopes=["read", "launch"], days=1, by=vic)
        headers = {"authorization": f"Bearer {token}"}
        assert client.get("/api/v1/runs", headers=headers).status_code == 200
        answer = client.post(
            "/api/v1/experiments", b"{}", content_type="application/json", headers=headers
        )
        assert answer.status_code == 403
        assert "Viewers look" in answer.json()["detail"]

    def test_they_keep_their_own_account(self, viewer: Client):
        assert viewer.post("/account/single-keys").status_code == 204
        assert viewer.post("/sign-out/").status_code == 302


def test_each_act_is_in_the_audit_log(as_admin: Client, admin: User, bob: User):
    path = invited(as_admin)
    joined(path)
    as_admin.post(f"/people/{bob.pk}/change", {"role": "viewer"})
    as_admin.post(f"/people/{bob.pk}/link")
    as_admin.post(f"/people/{bob.pk}/change", {"active": "no"})
    did = list(Entry.objects.order_by("pk").values_list("actor_name", "action", "target"))
    assert did == [
        ("ada", "sign in", ""),
        ("ada", "invite", "a new student"),
        ("grace", "join", "a new student"),
        ("grace", "sign in", ""),
        ("ada", "change a role", "bob"),
        ("ada", "make a sign-in link", "bob"),
        ("ada", "remove access", "bob"),
    ]
    entry = Entry.objects.get(action="change a role")
    assert entry.detail == {"before": "member", "after": "viewer"}
    assert entry.address == "127.0.0.1"
    assert len(entry.request_id) == 32
    assert path not in str(list(Entry.objects.values()))
