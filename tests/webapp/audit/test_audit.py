"""The audit log: what is kept of signing in, and the page that shows it."""

import pytest
from django.test import Client

from tests.webapp.factories import first_run, person
from webapp.accounts.models import User
from webapp.audit.models import Entry
from webapp.audit.services import record
from webapp.runs.services import delete

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def acts() -> list[tuple[str, str]]:
    return list(Entry.objects.order_by("pk").values_list("actor_name", "action"))


def test_coming_going_and_being_refused_are_kept(client: Client):
    User.objects.create_user("ada", password=PASSWORD)
    client.post("/sign-in/", {"username": "ada", "password": "wrong"})
    client.post("/sign-in/", {"username": "ada", "password": PASSWORD})
    client.post("/sign-out/")
    assert acts() == [("ada", "sign in refused"), ("ada", "sign in"), ("ada", "sign out")]
    assert "wrong" not in str(list(Entry.objects.values()))
    assert Entry.objects.first().address == "127.0.0.1"


def test_a_closed_door_is_kept(client: Client, settings):
    User.objects.create_user("ada", password=PASSWORD)
    for _attempt in range(settings.AXES_FAILURE_LIMIT):
        client.post("/sign-in/", {"username": "ada", "password": "wrong"})
    assert ("ada", "sign in locked") in acts()


def test_a_deleted_run_leaves_a_line():
    ada, bob = person("ada", role=User.Role.ADMIN), person("bob")
    run = first_run(bob)
    delete(user=ada, run=run)
    entry = Entry.objects.get()
    assert (entry.actor, entry.target) == (ada, f"run {run.pk}")
    assert entry.detail == {"owner": "bob"}


def test_a_command_has_no_address():
    entry = record("restore", actor=None, target="everything", runs=3)
    entry.refresh_from_db()
    assert (entry.address, entry.request_id, entry.detail) == (None, "", {"runs": 3})


def test_an_entry_outlives_its_person():
    ada = person("ada")
    record("launch", actor=ada, target="experiment 1")
    ada.delete()
    assert acts() == [("ada", "launch")]


def test_the_page_narrows_by_person_and_action(client: Client):
    admin = person("ada", role=User.Role.ADMIN)
    record("launch", actor=admin, target="experiment <1>")
    record("delete", actor=person("bob"), target="run 7")
    client.force_login(admin)
    shown = client.get("/audit/").content.decode()
    assert "experiment &lt;1&gt;" in shown
    assert "run 7" in shown
    shown = client.get("/audit/?who=bob").content.decode()
    assert "run 7" in shown
    assert "experiment" not in shown.split("<tbody>")[1]
    assert "Nothing of this kind" in client.get("/audit/?who=bob&action=launch").content.decode()
