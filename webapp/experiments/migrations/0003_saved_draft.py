import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('experiments', '0002_preflight'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SavedDraft',
            fields=[
                ('key', models.CharField(max_length=16, primary_key=True, serialize=False)),
                ('content', models.TextField(help_text="JSON in ASCII: Postgres' own takes no U+0000, and a form may hold anything.")),
                ('source', models.CharField(blank=True, default='', max_length=20)),
                ('source_key', models.CharField(blank=True, default='', max_length=100)),
                ('writer', models.CharField(help_text='The open form that wrote it last.', max_length=16)),
                ('edit', models.PositiveBigIntegerField(help_text="Which of the writer's changes it holds.")),
                ('saved_at', models.DateTimeField()),
                ('discarded_at', models.DateTimeField(blank=True, null=True)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='drafts', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-saved_at',),
                'indexes': [models.Index(fields=['owner', '-saved_at'], name='draft_newest')],
            },
        ),
    ]
