"""Who came, who went, and who was refused: Django's own signals, kept in the audit log."""

from __future__ import annotations

from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from webapp.audit.services import record


@receiver(user_logged_in, dispatch_uid="audit.signed_in")
def signed_in(user: Any, **_: object) -> None:
    record("sign in", actor=user)


@receiver(user_logged_out, dispatch_uid="audit.signed_out")
def signed_out(user: Any, **_: object) -> None:
    if user is not None:
        record("sign out", actor=user)


@receiver(user_login_failed, dispatch_uid="audit.refused")
def refused(credentials: dict[str, Any], **_: object) -> None:
    record("sign in refused", actor=None, name=str(credentials.get("username", "")))


@receiver(user_locked_out, dispatch_uid="audit.locked_out")
def locked_out(username: str, **_: object) -> None:
    record("sign in locked", actor=None, name=str(username))
