"""A lab from before 0.6 is upgraded: its thousands of runs get their owner and their place in
batches, and an interrupted upgrade goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from tests.webapp.databases import database_without_tables, execute, selected, working_in

BEFORE = [("runs", "0007_status_moves"), ("workers", "0002_queue_places_and_pauses")]
AFTER = [("workers", "0003_places_are_the_runs")]
RUNS = 3500
STUMBLES_AT = 2500
INTERRUPT = """
CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the server is stopped'; END $$;
CREATE TRIGGER stumble BEFORE UPDATE ON runs_run
    FOR EACH ROW WHEN (OLD.number = %s) EXECUTE FUNCTION stumble();
"""
EXPECTED = """
SELECT run.id, experiment.owner_id, coalesce(place.stands_at, run.created_at)
FROM runs_run run JOIN experiments_experiment experiment ON experiment.id = run.experiment_id
LEFT JOIN workers_queueplace place ON place.run_id = run.id ORDER BY run.id
"""


@pytest.fixture(autouse=True)
def _older_lab(transactional_db: None) -> Iterator[None]:
    """A database of its own, without tables yet."""
    with database_without_tables("older"), working_in("older"):
        yield


def fill() -> None:
    """Two people's runs, every third with a place that an admin gave it."""
    apps = MigrationExecutor(connection).migrate(BEFORE).apps
    run, place = apps.get_model("runs.Run"), apps.get_model("workers.QueuePlace")
    runs = []
    for first, name in enumerate(("ada", "bob")):
        owner = apps.get_model("accounts.User").objects.create(username=name)
        experiments = apps.get_model("experiments.Experiment").objects
        experiment = experiments.create(owner=owner, name=name, spec={})
        runs += [
            run(
                experiment=experiment, number=number, label="", configuration="", estimator="",
                seed=0, spec={}, colour=0, total_steps=1,
            )
            for number in range(first, RUNS, 2)
        ]  # fmt: skip
    kept = run.objects.bulk_create(runs)
    then = timezone.now() - timedelta(days=1)
    place.objects.bulk_create(
        place(run=run, stands_at=then + timedelta(seconds=run.pk)) for run in kept[::3]
    )


def test_it_goes_on_where_it_was_interrupted_and_fills_every_run() -> None:
    fill()
    expected = selected(EXPECTED)
    assert len(expected) == RUNS
    execute(INTERRUPT % STUMBLES_AT)
    with pytest.raises(DatabaseError, match="the server is stopped"):
        MigrationExecutor(connection).migrate(AFTER)
    written = "SELECT id, xmin::text FROM runs_run WHERE owner_id IS NOT NULL ORDER BY id"
    filled = selected(written)
    assert 0 < len(filled) < RUNS, "some batches have ended, and are kept"
    execute("DROP TRIGGER stumble ON runs_run")
    MigrationExecutor(connection).migrate(AFTER)
    assert selected("SELECT id, owner_id, stands_at FROM runs_run ORDER BY id") == expected
    assert set(filled) <= set(selected(written)), "what was filled is not written again"
    assert "workers_queueplace" not in connection.introspection.table_names()


def test_it_ends_where_only_the_note_of_its_end_was_lost() -> None:
    MigrationExecutor(connection).migrate(AFTER)
    execute("DELETE FROM django_migrations WHERE app = 'workers' AND name LIKE '0003%'")
    MigrationExecutor(connection).migrate(AFTER)
    assert AFTER[0] in MigrationExecutor(connection).loader.applied_migrations
