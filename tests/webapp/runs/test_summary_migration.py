"""A lab with thousands of summaries is upgraded: they are read in batches while its runs go on, and
an interrupted upgrade goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from tests.webapp.databases import database_without_tables, execute, selected, working_in

BEFORE = [("runs", "0011_line_index_again")]
TABLES = [("runs", "0012_summary_values")]
AFTER = [("runs", "0013_fill_summary_values")]
RUNS = 2500
INTERRUPT = """
CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the server is stopped'; END $$;
CREATE TRIGGER stumble BEFORE INSERT ON runs_summaryvalues
    FOR EACH ROW WHEN (NEW.run_id = %s) EXECUTE FUNCTION stumble();
"""
CHANGE = """UPDATE runs_run SET summary = '{"meta_loss": "inf"}' WHERE id = %s"""
LOSSES = """
SELECT run_id, values[(SELECT id FROM runs_summaryname WHERE name = 'meta_loss')]
FROM runs_summaryvalues ORDER BY run_id
"""


@pytest.fixture(autouse=True)
def _older_lab(transactional_db: None) -> Iterator[None]:
    """A database of its own, without tables yet."""
    with database_without_tables("older"), working_in("older"):
        yield


def fill() -> list[int]:
    """Runs with a summary each, and one that has none yet, the last."""
    apps = MigrationExecutor(connection).migrate(BEFORE).apps
    owner = apps.get_model("accounts.User").objects.create(username="ada")
    experiment = apps.get_model("experiments.Experiment").objects.create(
        owner=owner, name="many", spec={}
    )
    run = apps.get_model("runs.Run")
    summaries = [*({"meta_loss": number, "cosine": 0.5} for number in range(RUNS)), {}]
    kept = run.objects.bulk_create(
        run(
            experiment=experiment, number=number, label="", configuration="", estimator="",
            seed=0, spec={}, colour=0, total_steps=1, summary=summary,
        )
        for number, summary in enumerate(summaries)
    )  # fmt: skip
    return [run.pk for run in kept]


def test_it_goes_on_where_it_was_interrupted_and_keeps_what_came_meanwhile() -> None:
    ids = fill()
    MigrationExecutor(connection).migrate(TABLES)
    execute(CHANGE % ids[3])
    execute(INTERRUPT % ids[1500])
    with pytest.raises(DatabaseError, match="the server is stopped"):
        MigrationExecutor(connection).migrate(AFTER)
    assert 0 < len(selected(LOSSES)) < RUNS, "some batches have ended, and are kept"
    execute("DROP TRIGGER stumble ON runs_summaryvalues")
    MigrationExecutor(connection).migrate(AFTER)
    expected = dict(zip(ids, map(float, range(RUNS)), strict=False)) | {ids[3]: float("inf")}
    assert selected(LOSSES) == sorted(expected.items())
