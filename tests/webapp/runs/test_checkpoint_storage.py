"""Checkpoints in a folder, and in a bucket of a real server that speaks S3, over HTTP."""

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import torch
from django.utils import timezone

from engine.events import Checkpoint
from tests.webapp.bucket import CREDENTIALS, bucket_server
from tests.webapp.factories import claimed, launched, person, points
from webapp.runs import services
from webapp.runs.checkpoint_retention import clear_checkpoints
from webapp.runs.checkpoint_storage import Bucket, Folder, storage
from webapp.runs.checkpoint_store import CheckpointStore
from webapp.runs.models import Run, Status


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an empty bucket."""
    with bucket_server("kept") as options:
        yield f"s3://kept/lab?{options}"


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, settings, tmp_path: Path, monkeypatch) -> None:
    if request.param == "folder":
        settings.CHECKPOINT_ROOT = tmp_path
    else:
        for name, value in CREDENTIALS.items():
            monkeypatch.setenv(name, value)
        settings.CHECKPOINT_ROOT = request.getfixturevalue("s3")
    assert isinstance(storage(), Folder if request.param == "folder" else Bucket)


def taken(step: int) -> Checkpoint:
    return Checkpoint(run=0, step=step, state={"loop": torch.full((1000,), float(step))})


@pytest.mark.usefixtures("place")
def test_the_last_two_are_kept_and_read_back() -> None:
    store = CheckpointStore(7)
    assert store.newest(at_most=100) is None
    for step in (3, 9, 120):
        store.save(taken(step))
    CheckpointStore(70).save(taken(5))
    assert store.steps() == [120, 9]
    assert store.newest(at_most=120).state["loop"][0] == 120
    assert store.newest(at_most=119).step == 9
    assert store.newest(at_most=8) is None
    with storage().open(store.newest_first()[0]) as content:
        assert content.read(2) == b"PK", "what torch wrote"
    store.delete()
    assert store.steps() == []
    assert CheckpointStore(70).steps() == [5]
    CheckpointStore(70).delete()
    assert storage().names() == []


@pytest.mark.usefixtures("place")
def test_of_a_damaged_one_the_one_before_is_read(tmp_path: Path) -> None:
    store = CheckpointStore(8)
    for step in (3, 9):
        store.save(taken(step))
    name = store.newest_first()[0]
    place = storage()
    with place.local(name) as path:
        shutil.copy(path, tmp_path / "damaged")
    content = bytearray((tmp_path / "damaged").read_bytes())
    # A float of the state: the archive stays one that torch reads without complaint.
    at = content.index(torch.full((4,), 9.0).numpy().tobytes())
    content[at + 2] ^= 1
    (tmp_path / "damaged").write_bytes(content)
    assert torch.load(tmp_path / "damaged", weights_only=True)["state"]["loop"][0] != 9
    place.keep(tmp_path / "damaged", name)
    assert store.newest(at_most=9).step == 3
    store.delete()


def test_what_lies_ahead_does_not_crowd_out_what_is_kept(settings, tmp_path: Path) -> None:
    """Such as the damaged ones of an attempt that went further."""
    settings.CHECKPOINT_ROOT = tmp_path
    store = CheckpointStore(7)
    for step in (40, 50, 3, 4, 5):
        store.save(taken(step))
    assert store.steps() == [50, 40, 5, 4]
    store.save(taken(45))
    assert store.steps() == [50, 45, 40]


def test_a_checkpoint_of_an_older_lab_is_read(settings, tmp_path: Path) -> None:
    from engine import checkpoints

    settings.CHECKPOINT_ROOT = tmp_path
    checkpoints.save(tmp_path / "7" / "000000012.pt", taken(12))
    assert CheckpointStore(7).newest(at_most=20).step == 12


def test_an_interrupted_write_leaves_nothing_that_counts(settings, tmp_path: Path) -> None:
    settings.CHECKPOINT_ROOT = tmp_path
    old, young = tmp_path / ".draft-old", tmp_path / ".draft-young"
    for folder in (old, young):
        folder.mkdir()
        (folder / "000000012.pt").write_bytes(b"half")
    os.utime(old, (0, 0))
    assert storage().names() == []
    storage().tidy()
    assert (old.exists(), young.exists()) == (False, True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("place")
def test_only_what_nobody_goes_on_from_is_cleared() -> None:
    ada = person("ada")
    experiment = launched(ada, seeds=list(range(5)))
    runs = list(experiment.runs.order_by("number")[:9])
    long_ago = timezone.now() - timedelta(days=8)
    ends = [
        (Status.CANCELLED, long_ago),
        (Status.FAILED, long_ago),
        (Status.OUT_OF_BUDGET, long_ago),
        (Status.CANCELLED, timezone.now()),
        (Status.FINISHED, timezone.now()),
    ]
    for run in runs:
        claimed(run)
        services.record_points(run_id=run.pk, attempt=1, points=points(1, 6))
        CheckpointStore(run.pk).save(taken(5))
        services.keep_checkpoint(run_id=run.pk, attempt=1, step=5)
    for run, (status, at) in zip(runs, ends, strict=False):
        services.finish(run_id=run.pk, attempt=1, status=status)
        Run.objects.filter(pk=run.pk).update(finished_at=at)
    services.release(run_id=runs[5].pk, attempt=1)
    Run.objects.filter(pk=runs[5].pk).update(status=Status.PAUSED)
    services.release(run_id=runs[6].pk, attempt=1)
    deleted = runs[8].pk
    Run.objects.filter(pk=deleted).delete()

    gone = [run.pk for run in (runs[0], runs[1], runs[4])] + [deleted]
    assert clear_checkpoints() == sorted(gone)
    assert clear_checkpoints() == []
    for run in runs[:8]:
        steps = CheckpointStore(run.pk).steps()
        assert steps == ([] if run.pk in gone else [5]), run.number
        run.refresh_from_db()
        assert run.checkpoint_step == (None if run.pk in gone else 5)
        CheckpointStore(run.pk).delete()
