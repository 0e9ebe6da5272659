"""A lab backed up and restored is the same lab, row by row and byte by byte."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.webapp.databases import database_without_tables, rows, url_of
from tests.webapp.factories import claimed, first_run, person, points
from webapp.backups import database, services
from webapp.backups.errors import BackupError
from webapp.runs import services as runs


@pytest.fixture
def lab(settings, tmp_path: Path, transactional_db: None) -> None:
    """A lab with a run, points and a checkpoint, in the database of the tests."""
    settings.CHECKPOINT_ROOT = tmp_path / "checkpoints"
    server = settings.DATABASE_URL
    run = claimed(first_run(person("ada")))
    runs.record_points(run_id=run.pk, attempt=run.attempt, points=points(1, 20))
    folder = settings.CHECKPOINT_ROOT / str(run.pk)
    folder.mkdir(parents=True)
    (folder / "000000020.pt").write_bytes(b"tensors")
    settings.DATABASE_URL = url_of(connection.settings_dict["NAME"])
    connection.close()
    yield
    settings.DATABASE_URL = server


@pytest.fixture
def empty() -> Iterator[str]:
    """The address of a database without tables."""
    with database_without_tables("restored") as url:
        yield url


@pytest.mark.usefixtures("lab")
def test_a_restored_lab_is_the_same_lab(settings, tmp_path: Path, empty: str):
    before = rows(settings.DATABASE_URL)
    assert before["runs_run"]
    manifest = services.back_up(tmp_path / "kept")
    assert {name: len(found) for name, found in before.items()} == manifest["tables"]
    assert (tmp_path / "kept").stat().st_mode & 0o077 == 0
    settings.DATABASE_URL = empty
    settings.CHECKPOINT_ROOT = tmp_path / "elsewhere"
    services.restore(tmp_path / "kept")
    assert rows(empty) == before
    (checkpoint,) = (tmp_path / "elsewhere").rglob("*.pt")
    assert checkpoint.read_bytes() == b"tensors"
    # What came later goes when the backup comes back.
    with psycopg.connect(empty) as writer:
        writer.execute("UPDATE runs_run SET step = 0")
        writer.execute("CREATE TABLE later (number int)")
    services.restore(tmp_path / "kept", replace=True)
    assert rows(empty)["runs_run"] == before["runs_run"]


@pytest.mark.usefixtures("lab")
def test_a_lab_that_holds_something_is_not_replaced_by_mistake(settings, tmp_path: Path):
    services.back_up(tmp_path / "kept")
    with pytest.raises(BackupError, match=r"holds [\d,]+ rows.*--replace"):
        services.restore(tmp_path / "kept")


@pytest.mark.usefixtures("lab")
def test_a_lab_at_work_is_not_replaced(settings, tmp_path: Path, empty: str):
    services.back_up(tmp_path / "kept")
    settings.DATABASE_URL = empty
    with (
        psycopg.connect(empty),
        pytest.raises(BackupError, match="1 other connections use the database"),
    ):
        services.restore(tmp_path / "kept")


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("name", [services.DUMP, services.CHECKPOINTS])
def test_a_damaged_backup_changes_nothing(settings, tmp_path: Path, empty: str, name: str):
    services.back_up(tmp_path / "kept")
    settings.DATABASE_URL = empty
    damaged = tmp_path / "kept" / name
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    with pytest.raises(BackupError, match=f"{name} is damaged"):
        services.restore(tmp_path / "kept")
    damaged.unlink()
    with pytest.raises(BackupError, match=f"{name} is missing"):
        services.restore(tmp_path / "kept")
    assert database.table_counts(empty) == {}


@pytest.mark.usefixtures("lab")
def test_a_backup_that_fails_leaves_nothing(settings, tmp_path: Path):
    settings.DATABASE_URL = url_of("no_such_database")
    with pytest.raises(BackupError, match="no_such_database"):
        services.back_up(tmp_path / "kept")
    assert not list(tmp_path.glob("*kept*"))


@pytest.mark.parametrize("manifest", ["{}", "[]", "not json", '{"kind": "other", "files": {}}'])
def test_what_is_no_backup_is_refused(tmp_path: Path, manifest: str):
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(CommandError, match="is no backup of a lab"):
        call_command("restore", tmp_path)


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path):
    with pytest.raises(CommandError, match="is there already"):
        call_command("backup", tmp_path)


@pytest.mark.usefixtures("lab")
def test_the_commands_say_what_they_did(settings, tmp_path: Path, empty: str):
    said = StringIO()
    call_command("backup", tmp_path / "kept", stdout=said)
    assert "rows" in said.getvalue()
    made_at = json.loads((tmp_path / "kept" / "manifest.json").read_text())["made_at"]
    settings.DATABASE_URL = empty
    call_command("restore", tmp_path / "kept", stdout=said)
    assert made_at in said.getvalue()


def test_a_password_is_not_on_the_command_line():
    address, password = database._apart("postgres://lab:a%2Fb@db.example:5432/lab?sslmode=require")
    assert address == "postgres://lab@db.example:5432/lab?sslmode=require"
    assert password == "a/b"
