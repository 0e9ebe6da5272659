"""The numbers of the summaries that an older lab has already.

A lab goes on while they are filled: each batch is a transaction of its own, and what a run's own
change of its summary has written stays. Interrupted, the migration goes on with the runs that have
none yet.
"""

from django.db import migrations

BATCH = 1000
FILL = """
INSERT INTO runs_summaryvalues (run_id, values)
SELECT id, summary_values(summary) FROM runs_run WHERE id = ANY(%s) ON CONFLICT DO NOTHING
"""


def fill(apps, schema_editor):
    """Keep the summary of every run, the oldest runs first."""
    database = schema_editor.connection
    runs = apps.get_model("runs", "Run").objects.using(database.alias)
    unfilled = runs.filter(summary_values=None).exclude(summary={})
    unfilled = unfilled.order_by("pk").values_list("pk", flat=True)
    batch = list(unfilled[:BATCH])
    while batch:
        with database.cursor() as cursor:
            cursor.execute(FILL, [batch])
        batch = list(unfilled.filter(pk__gt=batch[-1])[:BATCH])


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('runs', '0012_summary_values'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
