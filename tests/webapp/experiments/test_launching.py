"""From a spec to queued runs: what is kept, which colours they get, and who is woken when."""

import pytest
from django.db import transaction

from engine.spec import SpecError, validate
from tests.webapp.factories import QUADRATIC, launched, person
from webapp.celery import app
from webapp.experiments.models import Experiment
from webapp.experiments.selectors import experiment_for
from webapp.exports.palette import slot_of
from webapp.runs.models import Run, Status
from webapp.runs.wake import messages_waiting

pytestmark = pytest.mark.django_db


def test_every_run_is_queued_with_its_own_spec() -> None:
    experiment = launched(person("ada"), sweep={"estimators.1.window": [2, 5]})
    runs = list(experiment.runs.order_by("number"))
    assert [run.number for run in runs] == list(range(6))
    assert [run.seed for run in runs] == [0, 1] * 3
    assert {run.status for run in runs} == {Status.QUEUED}
    assert {run.total_steps for run in runs} == {20}
    swept = [run for run in runs if run.sweep == {"estimators.1.window": 5}]
    assert {run.estimator for run in swept} == {"truncated"}
    for run in runs:
        assert len(validate(run.spec).estimators) == len(run.spec["seeds"]) == 1
    assert validate(experiment.spec) == validate(
        {**QUADRATIC, "sweep": {"estimators.1.window": [2, 5]}}
    )


def test_a_configuration_keeps_its_colour_for_ever() -> None:
    ada = person("ada")
    first = launched(ada)
    colours = dict(first.runs.values_list("configuration", "colour"))
    assert sorted(colours.values()) == [0, 1], "seeds share a colour, estimators do not"
    again = launched(
        ada,
        estimators=[{"kind": "implicit"}, {"kind": "unrolled"}],
        meta_parameters=[{"kind": "weight_decay", "initial": 0.1}],
    )
    assert sorted(set(again.runs.values_list("colour", flat=True))) == [2, 3]
    assert dict(launched(ada).runs.values_list("configuration", "colour")) == colours


def test_hues_differ_within_an_experiment_as_long_as_there_are_hues() -> None:
    ada = person("ada")
    windows = [{"kind": "truncated", "window": n} for n in range(1, 8)]
    launched(ada, estimators=windows, seeds=[0])
    mixed = launched(
        ada,
        estimators=[windows[0], *({"kind": "truncated", "window": n} for n in (8, 9, 10))],
        seeds=[0],
    )
    hues = [slot_of(colour) for colour in mixed.runs.values_list("colour", flat=True)]
    assert len(set(hues)) == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"sweep": {"estimators.1.window": [5, 11]}},
        {"sweep": {"inner.nonsense": [1]}},
        {"name": "a\x00b"},
    ],
)
def test_what_cannot_be_expanded_or_kept_leaves_nothing(changes: dict) -> None:
    with pytest.raises(SpecError):
        launched(person("ada"), **changes)
    assert not Experiment.objects.exists()
    assert not Run.objects.exists()


@pytest.fixture
def empty_queues():
    with app.connection_for_write() as connection:
        for queue in ("cpu", "gpu"):
            connection.default_channel.queue_purge(queue)


@pytest.mark.django_db(transaction=True)
def test_workers_are_woken_after_the_commit_on_the_queue_of_the_device(empty_queues) -> None:
    ada = person("ada")
    with transaction.atomic():
        launched(ada)
        assert messages_waiting("cpu") == 0
    assert messages_waiting("cpu") == 4
    launched(ada, device="cuda")
    assert messages_waiting("gpu") == 4
    launched(ada, device="auto")
    assert messages_waiting("cpu") == 8, "no worker has a GPU"


def test_counts_come_with_the_experiment() -> None:
    ada = person("ada")
    experiment = experiment_for(ada, launched(ada).pk)
    assert (experiment.run_count, experiment.ended_count) == (4, 0)
