"""What people used of the workers, and what they may use."""

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
