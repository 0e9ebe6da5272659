"""What web processes ask workers: a row and a message, an answer in the row a moment later.

A web process never runs the engine. An answer is kept under a digest of everything that it depends
on, so that a question which came up before is answered at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db import models, transaction
from django.utils import timezone

from webapp.runs.wake import send

STALE = timedelta(seconds=60)
"""A question that no worker took up by then is dropped, and asked again by the next edit."""
LONGEST = timedelta(seconds=60)
"""An answer that takes longer is given up."""
PATIENCE = timedelta(seconds=3)
"""After this long without an answer the form says that nobody has begun."""
KEPT = timedelta(days=1)

State = Literal["answered", "waiting", "silent", "untried", "slow", "unknown"]


class Question(models.Model):
    """What is asked about one spec, and when somebody began and answered."""

    key = models.CharField(
        max_length=64, primary_key=True, help_text="Digest of what the answer depends on."
    )
    spec = models.JSONField()
    asked_at = models.DateTimeField()
    begun_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    lasting = models.BooleanField(
        default=True, help_text="False where the answer was about the worker, not about the spec."
    )

    believed = timedelta(hours=1)
    """How long a lasting answer is believed."""
    kept_fields: tuple[str, ...] = ()
    """What an earlier answer said, shown until the next one is there."""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.key

    def must_be_asked_again(self, now: datetime) -> bool:
        if self.answered_at:
            return now - self.answered_at > (self.believed if self.lasting else STALE)
        if self.begun_at:
            return now - self.begun_at > self.believed
        return now - self.asked_at > STALE

    @property
    def state(self) -> State:
        if self.answered_at:
            return "answered"
        now = timezone.now()
        if self.begun_at:
            return "slow" if now - self.begun_at > LONGEST else "waiting"
        waited = now - self.asked_at
        if waited > STALE:
            return "untried"
        return "waiting" if waited < PATIENCE else "silent"


def ask(
    kind: type[Question],
    specs: Mapping[str, dict[str, Any]],
    *,
    task: str,
    queue: str,
    **more: Any,
) -> None:
    """Ask the workers of `queue` for the answer to every key of `specs` that is not known.

    `more` are further fields of the new rows; every other field begins anew.
    """
    now = timezone.now()
    known = kind.objects.in_bulk(specs)
    missing = [
        kind(key=key, spec=spec, asked_at=now, **more)
        for key, spec in specs.items()
        if key not in known or known[key].must_be_asked_again(now)
    ]
    if not missing:
        return
    kind.objects.bulk_create(
        missing,
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=[
            field.name
            for field in kind._meta.fields
            if not field.primary_key and field.name not in kind.kept_fields
        ],
    )
    keys = [row.key for row in missing]
    transaction.on_commit(lambda: send(task, keys, queue=queue, expires=STALE.total_seconds()))
    kind.objects.filter(asked_at__lt=now - KEPT).delete()


def begin(kind: type[Question], key: str) -> dict[str, Any] | None:
    """The spec to work on, for the one worker that took the question up; nothing for another."""
    rows = kind.objects.filter(key=key, begun_at=None)
    if not rows.update(begun_at=timezone.now()):
        return None
    return kind.objects.values_list("spec", flat=True).get(key=key)
