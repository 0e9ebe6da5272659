"""Giving a run that waits another priority.

Whoever owns a run may lower it, and put it back to normal; only an admin raises it above.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from engine.spec import FieldError, SpecError
from webapp.audit.services import record
from webapp.runs.models import Priority, Run, RunEvent, Status
from webapp.runs.permissions import require_change
from webapp.runs.telling import hint, log

if TYPE_CHECKING:
    from webapp.accounts.models import User

WORDS = {"low": Priority.LOW, "normal": Priority.NORMAL, "high": Priority.HIGH}
"""What people choose from."""


def priority_called(word: str) -> Priority:
    """Raises `SpecError` for a word that names none."""
    if word not in WORDS:
        raise SpecError([FieldError("priority", word, f"allowed: {', '.join(WORDS)}")])
    return WORDS[word]


def words_for(user: User) -> list[str]:
    """The priorities that `user` may give."""
    return [word for word, value in WORDS.items() if may_give(user, value)]


def may_give(user: User, priority: Priority) -> bool:
    return priority <= Priority.NORMAL or user.is_lab_admin


def require(user: User, priority: Priority) -> None:
    if not may_give(user, priority):
        raise PermissionDenied("Only an admin of the lab may give a run a high priority.")


def set_priority(*, user: User, run: Run, priority: Priority) -> Run:
    """Let a run that has not ended stand elsewhere in line. A lowered one stands as if launched
    now. Returns the run as it is now."""
    require_change(user, run.experiment, "change this run's priority")
    require(user, priority)
    with transaction.atomic():
        changes = {"priority": priority}
        if priority < run.priority:
            changes["stands_at"] = timezone.now()
        same = Run.objects.filter(pk=run.pk, status__in=(Status.QUEUED, Status.PAUSED))
        if same.exclude(priority=priority).update(**changes):
            word = priority.label.lower()
            log(run, RunEvent.Level.INFO, f"{user.get_username()} made its priority {word}.")
            if run.experiment.owner_id != user.pk or priority > Priority.NORMAL:
                record("change a priority", actor=user, target=f"run {run.pk}", after=word)
            hint(run.pk)
    run.refresh_from_db()
    return run
