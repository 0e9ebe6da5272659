"""Runs by their configuration from the index alone, made while the lab goes on."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('runs', '0013_fill_summary_values'),
    ]

    operations = [
        AddIndexConcurrently('run', models.Index(fields=['configuration', 'id'], include=['archived_at'], name='run_configuration')),
        RemoveIndexConcurrently('run', 'run_by_configuration'),
    ]
