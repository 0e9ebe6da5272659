"""The database itself refuses a change of status from which the lab does not lead a run on."""

from django.db import migrations

REFUSE_OTHER_MOVES = """
CREATE FUNCTION run_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.status, NEW.status) NOT IN (
        ('queued', 'running'), ('queued', 'paused'), ('queued', 'cancelled'),
        ('running', 'queued'), ('running', 'paused'),
        ('running', 'finished'), ('running', 'cancelled'), ('running', 'failed'),
        ('running', 'out_of_budget'),
        ('paused', 'queued'), ('paused', 'cancelled'),
        ('cancelled', 'queued'), ('failed', 'queued'), ('out_of_budget', 'queued')
    ) THEN
        RAISE EXCEPTION 'run % cannot go from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'run_moves';
    END IF;
    -- An attempt begins where a run begins to run, and nowhere else: writes are fenced by it.
    IF NEW.attempt <> OLD.attempt + (NEW.status = 'running')::int THEN
        RAISE EXCEPTION 'run % goes from % to % with attempt % after attempt %',
            OLD.id, OLD.status, NEW.status, NEW.attempt, OLD.attempt
            USING ERRCODE = 'check_violation', CONSTRAINT = 'run_moves';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER run_moves BEFORE UPDATE OF status ON runs_run
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION run_moves();
"""

ALLOW_ALL = "DROP TRIGGER run_moves ON runs_run; DROP FUNCTION run_moves();"


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0006_table_at_hand'),
    ]

    operations = [
        migrations.RunSQL(REFUSE_OTHER_MOVES, ALLOW_ALL),
    ]
