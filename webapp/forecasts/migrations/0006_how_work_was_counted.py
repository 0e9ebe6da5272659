from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('forecasts', '0005_rates_without_memory'),
    ]

    operations = [
        migrations.AddField(
            model_name='prediction',
            name='counting',
            field=models.PositiveSmallIntegerField(default=1, help_text='Which way of counting work it is of; only the present one is learned from.'),
        ),
    ]
