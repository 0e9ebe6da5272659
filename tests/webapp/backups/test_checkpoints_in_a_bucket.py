"""A lab whose checkpoints lie in a bucket is backed up, restored elsewhere, and goes on there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.webapp.bucket import CREDENTIALS, bucket_server
from tests.webapp.databases import database_without_tables, rows, url_of, working_in
from tests.webapp.factories import first_run, person
from tests.webapp.runs.test_execution import deterministic
from webapp.backups import database, services
from webapp.backups.errors import BackupError
from webapp.runs.checkpoint_storage import storage
from webapp.runs.checkpoint_store import CheckpointStore
from webapp.runs.execution import execute
from webapp.runs.models import Run, Status

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def options() -> Iterator[str]:
    with bucket_server("first", "second") as options:
        yield options


@pytest.fixture
def lab(settings, options: str, monkeypatch) -> Iterator[Run]:
    """A lab with a run that stopped on its way, and the same run that did not."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    server = settings.DATABASE_URL
    settings.CHECKPOINT_ROOT = f"s3://first/lab?{options}"
    settings.CHECKPOINT_SECONDS = 0
    whole, run = (first_run(person(name), seeds=[3]) for name in ("ada", "bob"))
    execute(whole.pk, "worker@test")
    store = CheckpointStore(run.pk)
    execute(run.pk, "worker@test", must_stop=lambda: 7 in store.steps())
    assert 7 in store.steps()
    settings.DATABASE_URL = url_of(connection.settings_dict["NAME"])
    connection.close()
    yield run
    settings.DATABASE_URL = server
    store.delete()


@pytest.fixture
def empty() -> Iterator[str]:
    with database_without_tables("restored") as url:
        yield url


def checkpoints() -> dict[str, bytes]:
    kept = storage()
    found = {}
    for name in kept.names():
        with kept.open(name) as content:
            found[name] = content.read()
    return found


def test_the_restored_lab_goes_on_bit_for_bit(settings, lab, options, tmp_path, empty) -> None:
    before, kept = rows(settings.DATABASE_URL), checkpoints()
    assert len(kept) == 2
    services.back_up(tmp_path / "kept")
    settings.DATABASE_URL = empty
    settings.CHECKPOINT_ROOT = f"s3://second/elsewhere?{options}"
    assert checkpoints() == {}
    services.restore(tmp_path / "kept")
    assert rows(empty) == before
    assert checkpoints() == kept
    with working_in("restored"):
        execute(lab.pk, "worker@test")
        run, whole = Run.objects.get(pk=lab.pk), Run.objects.exclude(pk=lab.pk).order_by("pk")[0]
        assert (run.status, run.attempt) == (Status.FINISHED, 2)
        assert "from outer step 7" in " ".join(run.events.values_list("message", flat=True))
        assert deterministic(run) == deterministic(whole)
    assert checkpoints() == {}, "of a run that has finished none is left"
    # What came later goes when the backup comes back.
    storage().keep(_file(tmp_path), "999/000000001.pt")
    services.restore(tmp_path / "kept", replace=True)
    assert checkpoints() == kept


def _file(folder: Path) -> Path:
    file = folder / "later.pt"
    file.write_bytes(b"tensors")
    return file


def test_a_server_that_is_away_changes_nothing(settings, lab, tmp_path: Path, empty: str) -> None:
    services.back_up(tmp_path / "kept")
    settings.DATABASE_URL = empty
    root = settings.CHECKPOINT_ROOT
    settings.CHECKPOINT_ROOT = "s3://first/lab?endpoint_override=127.0.0.1:1&scheme=http&region=a"
    with pytest.raises(BackupError, match="The checkpoints cannot be reached"):
        services.restore(tmp_path / "kept")
    assert database.table_counts(empty) == {}
    settings.CHECKPOINT_ROOT = root


def test_a_bucket_that_is_not_there_is_said(settings, lab, options, tmp_path, empty) -> None:
    services.back_up(tmp_path / "kept")
    settings.DATABASE_URL = empty
    root = settings.CHECKPOINT_ROOT
    settings.CHECKPOINT_ROOT = f"s3://nobody-s/lab?{options}"
    with pytest.raises(BackupError, match=r"checkpoints are not: .*restore again with --replace"):
        services.restore(tmp_path / "kept")
    settings.CHECKPOINT_ROOT = root
    services.restore(tmp_path / "kept", replace=True)
    assert len(checkpoints()) == 2
