"""Where a run stands is its own row's from now on.

A lab goes on while its rows are filled: each batch is a transaction of its own. Interrupted, the
migration goes on with the rows that have no owner yet.
"""

from django.db import migrations

BATCH = 1000
FILL = """
UPDATE runs_run SET owner_id = experiment.owner_id,
    stands_at = coalesce((SELECT place.stands_at FROM workers_queueplace place
                          WHERE place.run_id = runs_run.id), runs_run.created_at)
FROM experiments_experiment experiment
WHERE experiment.id = runs_run.experiment_id AND runs_run.id = ANY(%s)
"""


def fill(apps, schema_editor):
    """Give every run its owner and its place, the oldest runs first."""
    database = schema_editor.connection
    runs = apps.get_model("runs", "Run").objects.using(database.alias)
    unfilled = runs.filter(owner=None).order_by("pk").values_list("pk", flat=True)
    batch = list(unfilled[:BATCH])
    while batch:
        with database.cursor() as cursor:
            cursor.execute(FILL, [batch])
        batch = list(unfilled.filter(pk__gt=batch[-1])[:BATCH])


class DeleteModelStillThere(migrations.DeleteModel):
    """Nothing where an interrupted attempt has deleted its table."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        table = from_state.apps.get_model(app_label, self.name)._meta.db_table
        if table in schema_editor.connection.introspection.table_names():
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('workers', '0002_queue_places_and_pauses'),
        ('runs', '0008_line'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        DeleteModelStillThere('QueuePlace'),
    ]
