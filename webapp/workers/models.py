"""Workers as they last reported: what they have and what they do."""

from django.conf import settings
from django.db import models


class Worker(models.Model):
    """A process that executes runs. It is alive while its heartbeat is young."""

    name = models.CharField(max_length=200, unique=True)
    queues = models.CharField(max_length=100, default="cpu", help_text="Comma-separated.")
    device = models.CharField(max_length=200)
    has_gpu = models.BooleanField(default=False)
    memory_bytes = models.BigIntegerField(default=0)
    slots = models.PositiveIntegerField(default=1, help_text="Runs it executes at once.")
    started_at = models.DateTimeField(auto_now_add=True)
    heartbeat_at = models.DateTimeField()
    paused = models.BooleanField(default=False, help_text="Whether it takes no further run.")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def run_bytes(self) -> float:
        """What one of its runs may have of its memory; 0 where that is not known."""
        return self.memory_bytes / max(self.slots, 1)


class QueueAction(models.Model):
    """What an admin did to the queue or to a worker."""

    admin = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    message = models.CharField(max_length=500)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return self.message
