"""Where a run stands is its own row's from now on."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('workers', '0002_queue_places_and_pauses'),
        ('runs', '0008_line'),
    ]

    operations = [migrations.DeleteModel('QueuePlace')]
