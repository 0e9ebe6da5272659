"""The index of the line, made while the lab goes on."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('runs', '0008_line'),
    ]

    operations = [
        AddIndexConcurrently('run', models.Index(condition=models.Q(('status', 'queued')), fields=['queue', 'owner', '-priority', 'stands_at', 'id'], include=['needs_bytes', 'expected_seconds', 'sequence'], name='run_line')),
        RemoveIndexConcurrently('run', 'run_waiting'),
    ]
