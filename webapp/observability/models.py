"""Errors that programs of the lab logged, each kind once with how often and when last."""

from __future__ import annotations

from django.db import models


class RecentError(models.Model):
    """One kind of error: the same logger, exception and place in the code."""

    fingerprint = models.CharField(max_length=64, unique=True)
    logger = models.CharField(max_length=200)
    program = models.CharField(max_length=200, help_text="The process that logged it last.")
    message = models.TextField()
    traceback = models.TextField(blank=True, default="")
    times = models.PositiveBigIntegerField(default=1)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    request_id = models.CharField(max_length=64, blank=True, default="")
    run_id = models.BigIntegerField(
        null=True, blank=True, help_text="No key: a run may be deleted."
    )

    class Meta:
        ordering = ("-last_seen", "-pk")
        indexes = (models.Index(fields=["-last_seen"], name="error_newest"),)

    def __str__(self) -> str:
        return f"{self.logger}: {self.message[:80]}"
