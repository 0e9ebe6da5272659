"""The numbers of summaries in narrow rows of their own. The database keeps them, so that a worker
of the version before, which goes on while the lab is updated, keeps them too. The summaries that
are there already are read by `0013_fill_summary_values`."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

KEEP = """
CREATE FUNCTION summary_values(summary jsonb) RETURNS double precision[] LANGUAGE plpgsql AS $$
BEGIN
    -- In order, so that two runs with the same new names never wait for each other.
    INSERT INTO runs_summaryname (name)
    SELECT key FROM jsonb_object_keys(summary) key
    WHERE NOT EXISTS (SELECT FROM runs_summaryname WHERE name = key) ORDER BY key
    ON CONFLICT DO NOTHING;
    RETURN ARRAY(
        SELECT (summary ->> name)::double precision
        FROM generate_series(1, (SELECT max(id) FROM runs_summaryname)) place
        LEFT JOIN runs_summaryname ON id = place
        ORDER BY place
    );
END $$;
CREATE FUNCTION keep_summary_values() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO runs_summaryvalues (run_id, values)
    VALUES (NEW.id, summary_values(NEW.summary))
    ON CONFLICT (run_id) DO UPDATE SET values = EXCLUDED.values;
    RETURN NULL;
END $$;
CREATE TRIGGER run_summary_made AFTER INSERT ON runs_run
    FOR EACH ROW WHEN (NEW.summary <> '{}') EXECUTE FUNCTION keep_summary_values();
CREATE TRIGGER run_summary_changed AFTER UPDATE OF summary ON runs_run
    FOR EACH ROW WHEN (OLD.summary IS DISTINCT FROM NEW.summary)
    EXECUTE FUNCTION keep_summary_values();
"""

FORGET = """
DROP TRIGGER run_summary_made ON runs_run;
DROP TRIGGER run_summary_changed ON runs_run;
DROP FUNCTION keep_summary_values();
DROP FUNCTION summary_values(jsonb);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0011_line_index_again'),
    ]

    operations = [
        migrations.CreateModel(
            name='SummaryName',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.TextField(unique=True)),
            ],
        ),
        migrations.CreateModel(
            name='SummaryValues',
            fields=[
                ('run', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='summary_values', serialize=False, to='runs.run')),
                ('values', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(null=True), help_text='Each at the place of its `SummaryName`, from 1.', size=None)),
            ],
        ),
        migrations.RunSQL(KEEP, FORGET),
    ]
