"""Who may go on to follow what: asked at every heartbeat, for a whole process together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from webapp.live.gathering import OfEachLoop
from webapp.runs.selectors import seen_of_each


@dataclass(frozen=True)
class Follower:
    """A websocket, as it was let in, and the runs that it follows."""

    session_key: str
    session_hash: str
    """What the session knows of its person: it is another after a new password, and after
    signing out everywhere."""
    user_id: int
    run_ids: frozenset[int]


def seen_by(followers: Iterable[Follower]) -> dict[Follower, frozenset[int] | None]:
    """Which of its runs each follower's person still sees; None where they are signed in no more.
    Three queries, however many follow."""
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
    signed_in = {
        follower: user
        for follower in followers
        if (user := people.get(follower.user_id))
        and follower.session_key in sessions
        and constant_time_compare(follower.session_hash, user.get_session_auth_hash())
    }
    seen = seen_of_each([(user, follower.run_ids) for follower, user in signed_in.items()])
    return dict.fromkeys(followers) | dict(zip(signed_in, seen, strict=True))


# In a thread of its own: in the one that all websockets share, a heartbeat would wait behind
# whatever is read for followers.
checks: OfEachLoop[Follower, frozenset[int] | None] = OfEachLoop(
    database_sync_to_async(seen_by, thread_sensitive=False)
)
