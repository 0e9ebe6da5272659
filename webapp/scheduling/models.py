"""What people used of the workers and may use, runs put off, and populations shared out."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class Usage(models.Model):
    """Seconds for which workers of one queue had runs of one person, on one day (UTC)."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="usage"
    )
    day = models.DateField()
    queue = models.CharField(max_length=10)
    seconds = models.FloatField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["owner", "day", "queue"], name="usage_once_a_day"),
            models.CheckConstraint(condition=Q(seconds__gte=0), name="usage_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.seconds:.0f} s of {self.queue} by {self.owner} on {self.day}"


class Quota(models.Model):
    """What a person may use; without a person, what everybody may for whom nothing else is said.

    A bound that is not set is the lab's; of the lab, it is none.
    """

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        related_name="quota",
    )
    runs_at_once = models.PositiveIntegerField(null=True, blank=True)
    queued_runs = models.PositiveIntegerField(null=True, blank=True)
    cpu_seconds = models.PositiveIntegerField(null=True, blank=True, help_text="A day.")
    gpu_seconds = models.PositiveIntegerField(null=True, blank=True, help_text="A day.")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                models.Value(1), condition=Q(person=None), name="quota_of_the_lab_once"
            ),
        )

    def __str__(self) -> str:
        return f"quota of {self.person or 'the lab'}"


class Population(models.Model):
    """Particles of a running run that idle workers may evaluate a part of. It lives as long as one
    evaluation."""

    run = models.ForeignKey("runs.Run", on_delete=models.CASCADE, related_name="populations")
    attempt = models.PositiveIntegerField()
    seed = models.BigIntegerField(help_text="Of the inner loops.")
    chunk = models.PositiveIntegerField(help_text="Particles that go together.")
    metas = models.BinaryField(help_text="Every θ along a leading axis, as torch.save writes it.")

    def __str__(self) -> str:
        return f"population {self.pk} of run {self.run_id}"


class Part(models.Model):
    """One chunk of a population: who evaluates it, and what came out."""

    population = models.ForeignKey(Population, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField(help_text="Chunk, from 0.")
    worker = models.CharField(max_length=200, blank=True, default="")
    taken_at = models.DateTimeField(null=True)
    losses = models.BinaryField(null=True, help_text="F at its particles, as torch.save writes it.")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["population", "number"], name="part_once"),)
        indexes = (models.Index(fields=["worker"], name="part_at_work", condition=Q(losses=None)),)

    def __str__(self) -> str:
        return f"part {self.number} of {self.population}"


class Backoff(models.Model):
    """A queued run that could not begin: nobody takes it before `until`."""

    run = models.OneToOneField(
        "runs.Run", on_delete=models.CASCADE, primary_key=True, related_name="backoff"
    )
    failures = models.PositiveIntegerField(help_text="In a row.")
    until = models.DateTimeField()
    reason = models.TextField(help_text="A sentence for people.")

    def __str__(self) -> str:
        return f"run {self.run_id} put off until {self.until}"
