"""Writing the audit log. Inside a transaction, an entry stands or falls with what it tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from webapp.audit.models import Entry
from webapp.observability import context

if TYPE_CHECKING:
    from webapp.accounts.models import User


def record(
    action: str, *, actor: User | None, target: str = "", name: str = "", **detail: Any
) -> Entry:
    """Keep that `actor` did `action` (a few words, such as “change the role”) to `target`.

    `name` is for an actor who is no member, such as a wrong name at the door. `detail` is plain
    JSON, and never a secret.
    """
    return Entry.objects.create(
        actor=actor,
        actor_name=(actor.get_username() if actor is not None else name)[:150],
        action=action,
        target=target[:200],
        detail=detail,
        request_id=context.current_request_id(),
        address=context.current_address(),
    )
