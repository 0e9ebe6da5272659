"""No migration from 0.6 on holds a large table for long: a lab is updated while its runs go on."""

from __future__ import annotations

import re

import pytest
from django.db import connection, migrations, models
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.migration import Migration

LARGE = "runs_run|runs_serieschunk|runs_runevent|runs_runpicture"
LAST_BEFORE = {"runs": "0007"}
"""The rules came later; the other apps have none of these tables."""

TABLE = rf'(?:ONLY )?"?(?P<table>{LARGE})"?(?=[\s(])'
RULES = {
    rf"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY).* ON {TABLE}": (
        "build the index without holding up writers: AddIndexConcurrently, and atomic = False"
    ),
    rf"ALTER TABLE {TABLE}.* ADD CONSTRAINT .*(CHECK|FOREIGN KEY)(?!.*NOT VALID)": (
        "add the constraint with AddConstraintNotValid, then ValidateConstraint in a migration "
        "of its own"
    ),
    rf"ALTER TABLE {TABLE}.* ADD CONSTRAINT .*UNIQUE (?!USING INDEX)": (
        "build a unique index concurrently, then add the constraint USING INDEX"
    ),
    rf"ALTER TABLE {TABLE}.* ALTER COLUMN \S+ (TYPE|SET NOT NULL)": (
        "this reads or rewrites every row: add a new column instead"
    ),
    rf"ALTER TABLE {TABLE}.* ADD COLUMN .*DEFAULT \(?\w+\(": (
        "a default that is computed rewrites every row: give a constant"
    ),
}
EXCLUSIVE = rf"(ALTER TABLE|CREATE TRIGGER .* ON|LOCK TABLE) {TABLE}"
REWRITE = rf"(UPDATE|DELETE FROM) {TABLE}"


def complaints(statements: list[str]) -> list[str]:
    """What would hold a large table for long, of the statements of one migration."""
    found, held = [], set()
    for statement in (" ".join(each.split()) for each in statements):
        for pattern, cure in RULES.items():
            if re.search(pattern, statement, re.IGNORECASE):
                found.append(f"{statement[:100]} … : {cure}")
        if rewrites := re.search(REWRITE, statement, re.IGNORECASE):
            if rewrites["table"] in held:
                found.append(
                    f"{statement[:100]} … : the table is held while its rows are written; "
                    "fill them in a migration of its own"
                )
        elif takes := re.search(EXCLUSIVE, statement, re.IGNORECASE):
            held.add(takes["table"])
    return found


def statements_of(migration: Migration, executor: MigrationExecutor) -> list[str]:
    return [
        line
        for line in executor.loader.collect_sql(
            [(executor.loader.graph.nodes[migration.app_label, migration.name], False)]
        )
        if not line.startswith("--")
    ]


@pytest.mark.django_db(transaction=True)
def test_no_later_migration_holds_a_large_table() -> None:
    executor = MigrationExecutor(connection)
    later = [
        node
        for (app, name), node in sorted(executor.loader.disk_migrations.items())
        if node.__module__.startswith("webapp.") and name[:4] > LAST_BEFORE.get(app, "0000")
    ]
    found = {str(each): complaints(statements_of(each, executor)) for each in later}
    assert not {name: said for name, said in found.items() if said}


def sql(*operations: migrations.operations.base.Operation) -> list[str]:
    """Of a migration that would come after all of today's."""
    executor = MigrationExecutor(connection)
    leaf = next(node for node in executor.loader.graph.leaf_nodes("runs"))
    state = executor.loader.project_state(leaf)
    migration = Migration("later", "runs")
    migration.operations = list(operations)
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        migration.apply(state, editor, collect_sql=True)
    return [line for line in editor.collected_sql if not line.startswith("--")]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("operation", "cure"),
    [
        (
            migrations.AddIndex("run", models.Index(fields=["seed"], name="run_by_seed")),
            "AddIndexConcurrently",
        ),
        (
            migrations.AddConstraint(
                "run",
                models.CheckConstraint(condition=models.Q(seed__gte=0), name="run_seed_positive"),
            ),
            "AddConstraintNotValid",
        ),
        (
            migrations.AddConstraint(
                "serieschunk", models.UniqueConstraint(fields=["run", "attempt"], name="once")
            ),
            "USING INDEX",
        ),
        (migrations.AlterField("run", "seed", models.BigIntegerField()), "rewrites every row"),
    ],
)
def test_what_would_hold_a_table_is_named_with_its_cure(operation, cure: str) -> None:
    (complaint,) = complaints(sql(operation))
    assert cure in complaint


@pytest.mark.django_db(transaction=True)
def test_what_holds_no_table_is_let_through() -> None:
    from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently

    allowed = [
        migrations.AddField("run", "spare", models.IntegerField(default=0)),
        AddIndexConcurrently("run", models.Index(fields=["seed"], name="run_by_seed")),
        AddConstraintNotValid(
            "run", models.CheckConstraint(condition=models.Q(seed__gte=0), name="positive")
        ),
    ]
    assert complaints(sql(*allowed)) == []


def test_rows_are_not_written_while_the_table_is_held() -> None:
    held = ['ALTER TABLE "runs_run" ADD COLUMN "spare" integer', "UPDATE runs_run SET spare = 1"]
    (complaint,) = complaints(held)
    assert "migration of its own" in complaint
    assert complaints(held[1:]) == []
