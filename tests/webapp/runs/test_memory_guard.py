"""A run that takes more memory than its worker gives one ends with a clear record, and only it."""

from __future__ import annotations

import resource
from typing import Any

import pytest
from django.utils import timezone

from tests.webapp.factories import first_run, person
from webapp.runs.checkpoint_store import CheckpointStore
from webapp.runs.execution import execute
from webapp.runs.memory_guard import ROOM, MemoryGuard, _give_back, _sizes
from webapp.runs.models import Run, Status
from webapp.workers.models import Worker

pytestmark = pytest.mark.django_db(transaction=True)

MEGABYTE = 1e6
STATE = 1e5 * 8
"""Bytes of the bowl's inner state, of which the full graph keeps a few an inner step."""


@pytest.fixture(autouse=True)
def _checkpoints_in_a_folder_of_the_test(settings, tmp_path) -> None:
    settings.CHECKPOINT_ROOT = tmp_path


def bowl(horizon: int, **changes: Any) -> dict[str, Any]:
    return {
        "inner_task": {"kind": "quadratic", "dimension": 100_000, "condition_number": 10.0},
        "inner": {"steps": horizon, "program": "eager"},
        "estimators": [{"kind": "unrolled", "storage": "full"}],
        "outer": {"steps": 4},
        "probes": {"oracle": False, "memory": False, "test": False},
        "seeds": [0],
        **changes,
    }


def gives(megabytes: float) -> float:
    """A worker that gives a run so much more than this process takes, without what earlier tests
    left in its heap; returns how many times that a run may really take, in a process so large."""
    _give_back()
    more = megabytes * MEGABYTE
    share = _sizes()["VmRSS"] + more
    Worker.objects.update_or_create(
        name="worker@test",
        defaults={
            "device": "CPU", "memory_bytes": 2 * share, "slots": 2,
            "heartbeat_at": timezone.now(),
        },
    )  # fmt: skip
    return max(more, ROOM * share) / more


def executed(**changes: Any) -> Run:
    run = first_run(person(f"ada{Run.objects.count()}"), **changes)
    execute(run.pk, "worker@test")
    run.refresh_from_db()
    return run


def test_within_its_share_nothing_happens() -> None:
    gives(800)
    run = executed(**bowl(20))
    assert (run.status, run.error, run.step) == (Status.FINISHED, "", 4)


def test_past_its_share_it_ends_after_the_outer_step_with_its_checkpoint() -> None:
    run = executed(**bowl(round(27 * gives(60))))
    assert run.status == Status.OUT_OF_BUDGET
    assert "more than the" in run.error
    assert "checkpointed storage" in run.error
    assert run.step == 1
    kept = CheckpointStore(run.pk).newest(at_most=4)
    assert kept is not None
    assert kept.step == 1


def test_what_grows_too_fast_is_given_no_more_and_the_worker_goes_on() -> None:
    gives(60)
    before = resource.getrlimit(resource.RLIMIT_DATA)
    run = executed(**bowl(4000))
    assert run.status == Status.FAILED
    assert "got no more" in run.error
    assert "clone it" in run.error
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    assert executed(**bowl(5)).status == Status.FINISHED


def test_a_worker_that_is_not_known_guards_nothing() -> None:
    guard = MemoryGuard.of_worker("nobody@here")
    with guard:
        assert guard.reason_to_stop() == ""
    assert guard.explanation() == ""


def test_a_budget_of_bytes_is_kept_though_memory_is_no_probe() -> None:
    run = executed(**bowl(50, budget={"bytes": 10 * STATE}))
    assert run.status == Status.OUT_OF_BUDGET
    assert "more than the budget" in run.error
    assert CheckpointStore(run.pk).newest(at_most=4).step == 1
