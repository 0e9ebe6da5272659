"""`manage.py create_member` and `manage.py sign_in_link`."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from webapp.accounts.models import User

pytestmark = pytest.mark.django_db


def printed(*arguments: str) -> str:
    output = StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue().strip()


def test_a_member_is_created_and_signs_in_by_a_link(client: Client):
    assert printed("create_member", "ada") == "ada is a member of the lab."
    link = printed("sign_in_link", "--user", "ada", "--base", "https://lab.example.org/")
    assert link.startswith("https://lab.example.org/sign-in/")
    client.get(link.removeprefix("https://lab.example.org"))
    assert client.session["_auth_user_id"] == str(User.objects.get(username="ada").pk)


def test_an_admin_is_an_admin():
    printed("create_member", "grace", "--admin")
    assert User.objects.get().is_lab_admin


def test_without_a_name_the_link_is_the_first_admins():
    printed("create_member", "ada")
    printed("create_member", "grace", "--admin")
    printed("sign_in_link")
    assert User.objects.get(sign_in_tokens__isnull=False).username == "grace"


def test_the_first_link_of_an_empty_lab_creates_its_admin():
    printed("sign_in_link")
    assert User.objects.get().is_lab_admin


@pytest.mark.parametrize("name", ["ada", "", "two words", "x" * 151])
def test_a_name_that_cannot_be_is_refused(name: str):
    printed("create_member", "ada")
    with pytest.raises(CommandError, match="'"):
        call_command("create_member", name)
    assert User.objects.count() == 1


def test_a_link_for_nobody_is_refused():
    with pytest.raises(CommandError, match="no active member 'nobody'"):
        call_command("sign_in_link", "--user", "nobody")
