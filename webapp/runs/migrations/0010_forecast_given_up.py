"""Whether a run that waits will have no forecast; in the index of the line, beside what it needs."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0009_line_index'),
    ]

    operations = [
        migrations.AddField('run', 'forecast_given_up', models.BooleanField(default=False, help_text='Whether nobody can say what it needs: it waits for no forecast.')),
    ]
