"""Each worker keeps one key alive in the broker; who wants to know the workers reads the keys."""

import logging
from functools import cache
from typing import Any

import redis
from celery.signals import heartbeat_sent, worker_ready, worker_shutting_down
from django.conf import settings

KEY_PREFIX = "lab:worker:"
# A worker's process says "alive" every two seconds.
EXPIRY_SECONDS = 15
TIMEOUT_SECONDS = 1.0

logger = logging.getLogger(__name__)


@cache
def broker() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        decode_responses=True,
    )


def living_workers() -> list[str]:
    """The names of the workers that were heard of lately; raises redis.RedisError."""
    keys = broker().scan_iter(match=f"{KEY_PREFIX}*", count=1000)
    return sorted(key.removeprefix(KEY_PREFIX) for key in keys)


def beat(name: str) -> None:
    """A beat that is lost is no harm, so a broker that is away must not stop the worker."""
    try:
        broker().set(f"{KEY_PREFIX}{name}", "alive", ex=EXPIRY_SECONDS)
    except redis.RedisError as error:
        logger.warning("The heartbeat of %s was not written: %s", name, error)


@worker_ready.connect
def say_ready(sender: Any, **_: Any) -> None:
    beat(sender.hostname)


@heartbeat_sent.connect
def say_alive(sender: Any, **_: Any) -> None:
    beat(sender.eventer.hostname)


@worker_shutting_down.connect
def say_goodbye(sender: str, **_: Any) -> None:
    try:
        broker().delete(f"{KEY_PREFIX}{sender}")
    except redis.RedisError as error:
        logger.warning("The last word of %s was not written: %s", sender, error)
