from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('forecasts', '0004_forecast_looked_at'),
    ]

    operations = [
        migrations.RemoveField(model_name='machinerates', name='memory_bytes'),
    ]
