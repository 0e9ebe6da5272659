"""Who may go on to follow what: asked at every heartbeat, for a whole process together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from webapp.live.gathering import OfEachLoop
from webapp.runs.selectors import visible_runs

if TYPE_CHECKING:
    from webapp.accounts.models import User


@dataclass(frozen=True)
class Follower:
    """A websocket, as it was let in, and the runs that it follows."""

    session_key: str
    session_hash: str
    """What the session knows of its person: it is another after a new password, and after
    signing out everywhere."""
    user_id: int
    run_ids: frozenset[int]


@database_sync_to_async
def _seen_by(followers: Iterable[Follower]) -> dict[Follower, frozenset[int] | None]:
    followers = list(followers)
    sessions = set(
        Session.objects.filter(
            session_key__in={follower.session_key for follower in followers},
            expire_date__gt=timezone.now(),
        ).values_list("session_key", flat=True)
    )
    people = (
        get_user_model()
        .objects.filter(is_active=True)
        .in_bulk({follower.user_id for follower in followers})
    )
    found: dict[Follower, frozenset[int] | None] = {}
    for follower in followers:
        user = people.get(follower.user_id)
        if (
            user is None
            or follower.session_key not in sessions
            or not constant_time_compare(follower.session_hash, user.get_session_auth_hash())
        ):
            found[follower] = None
            continue
        found[follower] = _seen(user, follower.run_ids)
    return found


def _seen(user: User, run_ids: frozenset[int]) -> frozenset[int]:
    found = visible_runs(user).select_related(None).filter(pk__in=run_ids)
    return frozenset(found.values_list("pk", flat=True)) if run_ids else run_ids


checks: OfEachLoop[Follower, frozenset[int] | None] = OfEachLoop(_seen_by)
"""Which of a follower's runs its person still sees; None where they are signed in no more."""
