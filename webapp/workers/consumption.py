"""Whether a worker takes runs: told to its process over the broker, kept in its row.

A paused worker ends what it runs and takes nothing further. Its messages stay in the broker for
the others.
"""

from __future__ import annotations

import logging

from kombu.exceptions import OperationalError

from webapp.celery import app
from webapp.workers.models import Worker

log = logging.getLogger(__name__)


def tell(worker: Worker) -> None:
    """Make the process of `worker` do as its row says. Harmless to repeat; its pulse does, so that
    a broker which is away for a moment loses nothing."""
    order = app.control.cancel_consumer if worker.paused else app.control.add_consumer
    try:
        for queue in worker.queues.split(","):
            order(queue, destination=[worker.name])
    except OperationalError as error:
        log.warning("The broker takes no orders (%s); %s is told again later.", error, worker)
