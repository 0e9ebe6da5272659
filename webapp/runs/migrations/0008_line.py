"""What the order of the queue goes by. Every column has a constant default or none, so that adding
it rewrites nothing; the rows of older labs are filled by `0003_places_are_the_runs` of workers."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('runs', '0007_status_moves'),
        ('workers', '0002_queue_places_and_pauses'),
    ]

    operations = [
        migrations.AddField('run', 'owner', models.ForeignKey(db_index=False, help_text="The experiment's, here for the index of the line; null only before 0.6.", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
        migrations.AddField('run', 'priority', models.PositiveSmallIntegerField(choices=[(0, 'Last'), (1, 'Low'), (2, 'Normal'), (3, 'High'), (4, 'First')], default=2)),
        migrations.AddField('run', 'stands_at', models.DateTimeField(default=django.utils.timezone.now, help_text="Its place among its owner's runs of the same priority.")),
        migrations.AddField('run', 'needs_bytes', models.BigIntegerField(blank=True, help_text='Peak memory by the forecast; null where none is known.', null=True)),
        migrations.AddField('run', 'expected_seconds', models.FloatField(blank=True, help_text='By the forecast at the launch; null where unknown.', null=True)),
        migrations.AddField('run', 'claimed_at', models.DateTimeField(blank=True, help_text='When its newest attempt began.', null=True)),
        migrations.AddField('run', 'spread', models.BooleanField(default=True, help_text='Whether idle workers may evaluate parts of its populations.')),
    ]
