"""People and experiments for the tests, made through the services that the pages use."""

from collections.abc import Iterable
from typing import Any

from django.test import Client

from engine.events import Point
from engine.spec import validate
from webapp.accounts.models import User
from webapp.experiments.models import Experiment
from webapp.experiments.services import create_experiment
from webapp.runs import services
from webapp.runs.models import Run

QUADRATIC: dict[str, Any] = {
    "name": "bowl",
    "inner_task": {"kind": "quadratic", "dimension": 4, "condition_number": 10.0},
    "inner": {"steps": 10},
    "meta_parameters": [{"kind": "learning_rate", "initial": 0.1}],
    "estimators": [{"kind": "unrolled"}, {"kind": "truncated", "window": 3}],
    "outer": {"steps": 20, "optimizer": {"kind": "sgd", "learning_rate": 0.01}},
    "seeds": [0, 1],
    "probes": {"every": 5},
    "device": "cpu",
    "precision": "float64",
}


def person(name: str, *, role: str = User.Role.MEMBER) -> User:
    return User.objects.create_user(username=name, role=role)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def launched(owner: User, **changes: Any) -> Experiment:
    """A quadratic experiment with `changes` to its spec: 2 estimators × 2 seeds, 20 outer steps."""
    return create_experiment(owner=owner, experiment=validate({**QUADRATIC, **changes}))


def first_run(owner: User, **changes: Any) -> Run:
    return launched(owner, **changes).runs.order_by("number").first()


def ids_of(experiment: Experiment) -> list[int]:
    return list(experiment.runs.order_by("number").values_list("pk", flat=True))


def points(first: int, last: int, *, offset: float = 0.0) -> list[Point]:
    """The points with sequences `first` to `last`; `bias` is measured at every fifth step."""
    made = []
    for step in range(first - 1, last):
        values = {"meta_loss": offset + step / 10, "seconds": step / 100}
        if step % 5 == 0:
            values["bias"] = offset + step
        made.append(Point(run=0, step=step, values=values))
    return made


def claimed(run: Run, *, worker: str = "worker@test", resume_from: int = 0) -> Run:
    found = services.claim(run_id=run.pk, worker=worker, resume_from=resume_from)
    assert found is not None
    return found


def measured(run: Run, steps: Iterable[dict[str, float]]) -> Run:
    """Claims `run` and records what each of its outer `steps`, from 0 on, has measured."""
    taken = claimed(run)
    made = [Point(run=0, step=step, values=values) for step, values in enumerate(steps)]
    services.record_points(run_id=taken.pk, attempt=taken.attempt, points=made)
    return taken
