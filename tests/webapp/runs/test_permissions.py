"""Every member sees every run; only the owner and the lab's admins change it."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from engine.spec import SpecError
from tests.webapp.factories import first_run, launched, person
from webapp.accounts.models import User
from webapp.experiments.models import Experiment
from webapp.experiments.services import rename
from webapp.runs import services
from webapp.runs.models import Run, Status
from webapp.runs.selectors import run_for, visible_runs

pytestmark = pytest.mark.django_db


def test_another_member_sees_but_cannot_change() -> None:
    run = first_run(person("ada"))
    bob = person("bob")
    assert run_for(bob, run.pk) == run
    with pytest.raises(PermissionDenied, match="Only ada or an admin of the lab may cancel"):
        services.request_cancel(user=bob, run=run)
    with pytest.raises(PermissionDenied, match="delete this run"):
        services.delete(user=bob, run=run)
    with pytest.raises(PermissionDenied, match="rename this experiment"):
        rename(user=bob, experiment=run.experiment, name="mine now")
    run.refresh_from_db()
    assert run.status == Status.QUEUED


def test_an_admin_may_change_everything() -> None:
    run = first_run(person("ada"))
    admin = person("root", role=User.Role.ADMIN)
    assert services.request_cancel(user=admin, run=run).status == Status.CANCELLED
    assert rename(user=admin, experiment=run.experiment, name=" better ").name == "better"
    services.delete(user=admin, run=run)
    assert not Run.objects.filter(pk=run.pk).exists()


def test_the_last_run_takes_its_experiment_along() -> None:
    ada = person("ada")
    experiment = launched(ada, seeds=[0])
    one, two = experiment.runs.all()
    services.delete(user=ada, run=one)
    assert Experiment.objects.filter(pk=experiment.pk).exists()
    services.delete(user=ada, run=two)
    assert not Experiment.objects.filter(pk=experiment.pk).exists()


def test_who_has_no_access_sees_nothing() -> None:
    ada = person("ada")
    run = first_run(ada)
    ada.is_active = False
    assert not visible_runs(ada).exists()
    for missing in (run.pk, 0, -1, 2**80):
        with pytest.raises(Http404):
            run_for(ada, missing)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "name: string should have at least 1 character"),
        ("  ", "name: string should have at least 1 character"),
        ("x" * 201, "name: string should have at most 200 characters"),
        ("a\x00b", "name: allowed: one line of text, without the character U[+]0000"),
    ],
)
def test_a_bad_name_is_refused(name: str, words: str) -> None:
    ada = person("ada")
    with pytest.raises(SpecError, match=words):
        rename(user=ada, experiment=launched(ada), name=name)
