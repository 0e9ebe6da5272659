"""Wake-ups: a Celery message says that a run may be waiting. Postgres says whether it is."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from itertools import islice

from celery.utils.nodenames import worker_direct
from kombu import Queue
from kombu.exceptions import OperationalError

from webapp.celery import app

EXECUTE = "runs.execute"
MOST = 1000

log = logging.getLogger(__name__)


def wake(runs: Iterable[tuple[int, str]], worker: str = "") -> None:
    """Send one message for each (run id, queue) that began to wait; call it after the commit.

    To any worker of the queue, or to `worker` alone. A worker goes on by itself while runs wait,
    so there is no need for more than `MOST` messages at once. A broker that does not answer loses
    nothing: the pulse of a worker that has room looks for what waits.
    """
    try:
        with app.producer_or_acquire() as producer:
            for run_id, queue in islice(runs, MOST):
                app.send_task(
                    EXECUTE, args=[run_id], queue=worker_direct(worker) if worker else queue,
                    producer=producer, retry=False,
                )  # fmt: skip
    except OperationalError as error:
        log.warning("The broker takes no messages (%s); a pulse wakes the workers later.", error)


def send(
    task: str,
    arguments: Iterable[str],
    *,
    queue: str | Queue,
    expires: float,
    countdown: float = 0.0,
) -> None:
    """Send `task` once for each of `arguments`, to be begun after `countdown` s; a worker drops
    what is older than `expires` s.

    A broker that does not answer is only logged: use it for what can be done without.
    """
    try:
        with app.producer_or_acquire() as producer:
            for argument in arguments:
                app.send_task(
                    task, args=[argument], queue=queue, expires=expires, producer=producer,
                    countdown=countdown or None, retry=False,
                )  # fmt: skip
    except OperationalError as error:
        log.warning("The broker takes no messages (%s); %s is not sent.", error, task)


def messages_waiting(queue: str) -> int:
    """Messages of `queue` that no worker has taken; 0 where the broker knows no such queue."""
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        try:
            return channel.queue_declare(queue, passive=True).message_count
        except connection.channel_errors:
            return 0
