"""`GET /healthz`: the state of each service, in a bounded time and without a secret."""

import psycopg
import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from webapp.workers.selectors import live_workers

DATABASE_SECONDS = 2
BROKER_SECONDS = 1

_fully_migrated = False


def postgres_state() -> str:
    """Asked on a connection of its own: a pool would wait for the server to come back."""
    try:
        with psycopg.connect(
            settings.DATABASE_URL,
            connect_timeout=DATABASE_SECONDS,
            options=f"-c statement_timeout={DATABASE_SECONDS}s",
        ) as probe:
            probe.execute("SELECT 1")
    except psycopg.Error:
        return "down"
    return "up"


def migrations_state() -> str:
    """Once all are applied, they stay so for as long as this process lives."""
    global _fully_migrated
    if not _fully_migrated:
        try:
            executor = MigrationExecutor(connection)
            _fully_migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        except DatabaseError:
            return "unknown"
    return "applied" if _fully_migrated else "pending"


def broker_state() -> str:
    broker = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=BROKER_SECONDS, socket_connect_timeout=BROKER_SECONDS
    )
    with broker:
        try:
            broker.ping()
        except redis.RedisError:
            return "down"
    return "up"


@login_not_required
@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 while the lab can answer and keep things; 503 without its database or its broker."""
    postgres = postgres_state()
    broker = broker_state()
    migrations = migrations_state() if postgres == "up" else "unknown"
    workers = list(live_workers()) if migrations == "applied" else []
    forecasts = [worker for worker in workers if worker.queues == "forecast"]
    runs = len(workers) - len(forecasts)
    services = {
        "postgres": postgres,
        "broker": broker,
        "worker": "up" if runs else "missing",
        "forecast": "up" if forecasts else "missing",
        "migrations": migrations,
    }
    broken = "down" in (postgres, broker)
    whole = not broken and runs and forecasts
    return JsonResponse(
        {
            "status": "down" if broken else "ok" if whole else "degraded",
            "services": services,
            "workers": len(workers),
        },
        status=503 if broken else 200,
    )
