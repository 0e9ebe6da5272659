"""Workers' processes without Celery around them, for quick tests: forked from one that has torch.

Each is a process of its own that is killed by SIGKILL; what it runs is the worker's code.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.context import ForkServerContext
from pathlib import Path
from unittest.mock import patch

if os.environ.get("EXECUTING_FOR_TESTS"):
    # In the process that the others are forked from.
    import django

    django.setup()
    import webapp.runs.execution  # noqa: F401


@contextmanager
def fork_server(checkpoints: Path) -> Iterator[ForkServerContext]:
    """Where to start the processes; they use the database of the running test."""
    from django.db import connection

    server, _, options = os.environ["DATABASE_URL"].partition("?")
    database = f"{server.rpartition('/')[0]}/{connection.settings_dict['NAME']}"
    environment = {
        "DATABASE_URL": f"{database}?{options}" if options else database,
        "CHECKPOINT_ROOT": str(checkpoints),
        "CHECKPOINT_SECONDS": "0",
        "EXECUTING_FOR_TESTS": "1",
    }
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with patch.dict(os.environ, environment):
        yield context


def execute_one(run_id: int, worker: str) -> None:
    from webapp.runs.execution import execute

    execute(run_id, worker)


def take_messages(run_ids: Sequence[int], watched: Path) -> None:
    """Handle messages as a worker does, one after another."""
    from tests.faults.watched import watch
    from webapp.runs.tasks import execute_run

    watch(watched)
    for run_id in run_ids:
        execute_run.apply(args=[run_id])
