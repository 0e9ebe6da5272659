from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("experiments", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Preflight",
            fields=[
                (
                    "key",
                    models.CharField(
                        help_text="Digest of what the answer depends on.",
                        max_length=64,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "spec",
                    models.JSONField(help_text="A spec with one estimator and one seed."),
                ),
                ("asked_at", models.DateTimeField()),
                ("begun_at", models.DateTimeField(null=True)),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "obstacles",
                    models.JSONField(
                        default=list, help_text="As `engine.obstacle.Obstacle` says it."
                    ),
                ),
                (
                    "lasting",
                    models.BooleanField(
                        default=True,
                        help_text="False where the answer was about the worker, not about the spec.",
                    ),
                ),
            ],
        ),
    ]
