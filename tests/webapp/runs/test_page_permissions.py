"""What may be done on the pages of a run and an experiment, and by whom."""

import pytest
from django.test import Client

from tests.webapp.factories import claimed, first_run, launched, person, signed_in
from webapp.accounts.models import User
from webapp.experiments.models import Experiment
from webapp.runs import services
from webapp.runs.models import Run, Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return person("ada")


@pytest.mark.parametrize(("name", "may"), [("ada", True), ("root", True), ("bob", False)])
def test_only_who_may_change_is_shown_how(ada: User, name: str, may: bool) -> None:
    run = claimed(first_run(ada))
    people = {"ada": ada, "bob": person("bob"), "root": person("root", role=User.Role.ADMIN)}
    html = signed_in(people[name]).get(f"/runs/{run.pk}/").content.decode()
    experiment = signed_in(people[name]).get(f"/experiments/{run.experiment_id}/").content.decode()
    offered = {
        "cancel": f'action="/runs/{run.pk}/cancel/"' in html,
        "pause": f'action="/runs/{run.pk}/pause/"' in html,
        "rename the run": f'action="/runs/{run.pk}/rename/"' in html,
        "write notes": f'action="/runs/{run.pk}/notes/"' in html,
        "delete": f'action="/runs/{run.pk}/delete/"' in html and "Delete run" in html,
        "cancel all": "Cancel all" in experiment,
        "rename": f'action="/experiments/{run.experiment_id}/rename/"' in experiment,
    }
    assert offered == dict.fromkeys(offered, may)
    assert f"new?clone={run.pk}" in html, "everybody may run it again"
    assert f"new?experiment={run.experiment_id}" in experiment


ACTIONS = [
    "/runs/{run}/pause/",
    "/runs/{run}/resume/",
    "/runs/{run}/cancel/",
    "/runs/{run}/rename/",
    "/runs/{run}/notes/",
    "/runs/{run}/delete/",
    "/experiments/{experiment}/cancel/",
    "/experiments/{experiment}/rename/",
]


@pytest.mark.parametrize("action", ACTIONS)
def test_another_member_is_refused_and_nothing_changes(ada: User, action: str) -> None:
    run = first_run(ada)
    path = action.format(run=run.pk, experiment=run.experiment_id)
    answer = signed_in(person("bob")).post(path, {"name": "mine"})
    assert answer.status_code == 403
    assert "Only ada or an admin of the lab may " in answer.content.decode()
    run = Run.objects.select_related("experiment").get(pk=run.pk)
    assert (run.status, run.cancel_requested, run.experiment.name) == ("queued", False, "bowl")


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_changes_by_a_link(ada: User, action: str) -> None:
    run = first_run(ada)
    path = action.format(run=run.pk, experiment=run.experiment_id)
    assert signed_in(ada).get(path).status_code == 405
    assert Run.objects.get(pk=run.pk).status == Status.QUEUED


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_changes_without_the_token_of_the_page(ada: User, action: str) -> None:
    run = first_run(ada)
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    path = action.format(run=run.pk, experiment=run.experiment_id)
    assert client.post(path, {"name": "mine"}).status_code == 403
    assert Run.objects.get(pk=run.pk).status == Status.QUEUED


@pytest.fixture(params=["owner", "admin"])
def permitted(request: pytest.FixtureRequest, ada: User) -> Client:
    return signed_in(ada if request.param == "owner" else person("root", role=User.Role.ADMIN))


def test_a_waiting_run_is_cancelled_at_once(permitted: Client, ada: User) -> None:
    run = first_run(ada)
    answer = permitted.post(f"/runs/{run.pk}/cancel/", follow=True)
    assert answer.redirect_chain == [(f"/runs/{run.pk}/", 302)]
    assert "The run is cancelled." in answer.content.decode()
    run.refresh_from_db()
    assert run.status == Status.CANCELLED


def test_a_running_run_is_asked_to_stop(permitted: Client, ada: User) -> None:
    run = claimed(first_run(ada))
    html = permitted.post(f"/runs/{run.pk}/cancel/", follow=True).content.decode()
    assert "The run stops after its outer step." in html
    button = html[html.index('data-open-dialog="cancel-dialog"') :].partition("</button>")[0]
    assert button.startswith('data-open-dialog="cancel-dialog" disabled>')
    assert button.endswith(" Cancelling")
    assert "cancelling</span>" in html, "the status says it too"
    run.refresh_from_db()
    assert (run.status, run.cancel_requested) == (Status.RUNNING, True)


def test_a_run_that_has_ended_stays_as_it_is(permitted: Client, ada: User) -> None:
    run = claimed(first_run(ada))
    services.finish(run_id=run.pk, attempt=1, status=Status.FINISHED)
    html = permitted.post(f"/runs/{run.pk}/cancel/", follow=True).content.decode()
    assert "The run is finished." in html
    assert Run.objects.get(pk=run.pk).status == Status.FINISHED


def test_a_run_is_deleted(permitted: Client, ada: User) -> None:
    run = first_run(ada)
    answer = permitted.post(f"/runs/{run.pk}/delete/", follow=True)
    assert answer.redirect_chain == [("/runs/", 302)]
    assert f"Run {run.pk} ({run.label}) and its points are deleted." in answer.content.decode()
    assert not Run.objects.filter(pk=run.pk).exists()
    assert permitted.get(f"/runs/{run.pk}/").status_code == 404


def test_all_runs_of_an_experiment_are_cancelled(permitted: Client, ada: User) -> None:
    made = launched(ada)
    first = made.runs.order_by("number").first()
    claimed(first)
    services.finish(run_id=first.pk, attempt=1, status=Status.FINISHED)
    html = permitted.post(f"/experiments/{made.pk}/cancel/", follow=True).content.decode()
    assert "Cancelling 3 runs. The points that they have are kept." in html
    statuses = list(made.runs.order_by("number").values_list("status", flat=True))
    assert statuses == ["finished", "cancelled", "cancelled", "cancelled"]
    assert "Cancel all" not in html


def test_one_run_is_not_called_runs(ada: User) -> None:
    made = launched(ada, estimators=[{"kind": "unrolled"}], seeds=[0])
    html = signed_in(ada).post(f"/experiments/{made.pk}/cancel/", follow=True).content.decode()
    assert "Cancelling 1 run. The points that it has are kept." in html


def test_an_experiment_is_renamed(permitted: Client, ada: User) -> None:
    made = launched(ada)
    answer = permitted.post(f"/experiments/{made.pk}/rename/", {"name": "  a deep bowl "})
    assert answer.headers["Location"] == f"/experiments/{made.pk}/"
    made.refresh_from_db()
    assert made.name == "a deep bowl"


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("", "at least 1 character"),
        ("   ", "at least 1 character"),
        ("x" * 201, "at most 200 characters"),
        (None, "at least 1 character"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_a_word(
    ada: User, name: str | None, word: str
) -> None:
    made = launched(ada)
    sent = {} if name is None else {"name": name}
    answer = signed_in(ada).post(f"/experiments/{made.pk}/rename/", sent, follow=True)
    assert f"Not renamed: string should have {word}." in answer.content.decode()
    assert Experiment.objects.get(pk=made.pk).name == "bowl"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/runs/{}/"),
        ("get", "/runs/{}/events/"),
        ("get", "/runs/{}/now/"),
        ("get", "/runs/{}/log.txt"),
        ("get", "/runs/{}/checkpoint/"),
        ("post", "/runs/{}/pause/"),
        ("post", "/runs/{}/resume/"),
        ("post", "/runs/{}/rename/"),
        ("post", "/runs/{}/notes/"),
        ("post", "/runs/{}/cancel/"),
        ("post", "/runs/{}/delete/"),
        ("get", "/experiments/{}/"),
        ("get", "/experiments/{}/spec.yaml"),
        ("post", "/experiments/{}/rename/"),
        ("post", "/experiments/{}/cancel/"),
    ],
)
@pytest.mark.parametrize("missing", ["123456789", "0", "9" * 30])
def test_what_is_not_there_is_404(ada: User, method: str, path: str, missing: str) -> None:
    answer = getattr(signed_in(ada), method)(path.format(missing))
    assert answer.status_code == 404
    assert "Nothing here" in answer.content.decode()


@pytest.mark.parametrize("path", ["/runs/{}/", "/runs/{}/events/", "/runs/{}/delete/"])
def test_strangers_are_sent_to_the_sign_in_page(ada: User, path: str) -> None:
    run = first_run(ada)
    client = Client()
    for method in (client.get, client.post):
        answer = method(path.format(run.pk))
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/sign-in/")
    assert Run.objects.filter(pk=run.pk).exists()
