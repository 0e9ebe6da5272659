"""What keeps the queue true: lost workers' runs are queued again, what waited long is aged.

Whether a message was lost does not matter: a worker that has room looks for what waits by itself
(`webapp.scheduling.waking`).
"""

from __future__ import annotations

from webapp.runs.services import requeue_expired
from webapp.scheduling.line import age


def heal() -> None:
    """Harmless at any time and in any number of processes at once."""
    requeue_expired()
    age()
