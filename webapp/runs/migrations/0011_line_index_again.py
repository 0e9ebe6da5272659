"""The index of the line with what became known of forecasts, made while the lab goes on."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('runs', '0010_forecast_given_up'),
    ]

    operations = [
        AddIndexConcurrently('run', models.Index(condition=models.Q(('status', 'queued')), fields=['queue', 'owner', '-priority', 'stands_at', 'id'], include=['needs_bytes', 'forecast_given_up', 'expected_seconds', 'sequence'], name='run_in_line')),
        RemoveIndexConcurrently('run', 'run_line'),
    ]
