from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0003_pausing_and_notes'),
    ]

    operations = [
        migrations.AddField(
            model_name='serieschunk',
            name='rollup',
            field=models.BinaryField(help_text='Cells of `webapp.runs.rollups`; none where they would save little.', null=True),
        ),
    ]
