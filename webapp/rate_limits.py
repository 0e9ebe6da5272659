"""How often one person, token or visitor may ask; who asks oftener waits, and is told how long.

Counted in the broker's Redis with a sliding window (the library `limits`), so that all web
processes count together. A broker that is away limits nobody: the lab goes on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from limits import RateLimitItem, parse
from limits.storage import storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

from webapp.api.problems import problem

EVERYTHING = {"person": "1200/minute", "script": "3000/minute", "visitor": "300/minute"}
"""Every request counts here, by who asks."""

DEAR: dict[str, str] = {
    "sign in": "30/minute",
    "launch": "60/minute",
    "forecast": "600/minute",
    "export": "120/minute",
}
"""What costs more than a page counts here as well."""

DEAR_ROUTES: dict[tuple[str, str], str] = {
    ("POST", "accounts:sign-in"): "sign in",
    ("GET", "accounts:sign-in-link"): "sign in",
    ("GET", "single_sign_on:begin"): "sign in",
    ("GET", "single_sign_on:callback"): "sign in",
    ("POST", "experiments:launch"): "launch",
    ("POST", "experiments:launch-preset"): "launch",
    ("POST", "gallery:launch"): "launch",
    ("POST", "api-v1:experiments"): "launch",
    ("POST", "experiments:form"): "forecast",
    ("POST", "api-v1:forecast"): "forecast",
    ("GET", "exports:figure-file"): "export",
    ("GET", "gallery:figure-file"): "export",
    ("GET", "exports:summary-file"): "export",
    ("GET", "exports:picture-file"): "export",
    ("GET", "sharing:figure-file"): "export",
    ("GET", "sharing:summary-file"): "export",
    ("GET", "sharing:picture-file"): "export",
}

BROKER_SECONDS = 1
"""A broker that answers no sooner is away: without a bound, every page would hang with it."""

NOBODY_ASKS_TOO_OFTEN = {"healthz", "observability:metrics"}


class TooOften(Exception):
    """Somebody asks too often; `seconds` is how long to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many requests; try again in {seconds} s.")
        self.seconds = seconds


class RateLimitMiddleware:
    """Refuses with 429 and Retry-After, each kind of client in the way that it understands.

    After the sign-in middleware's session is known, before any view runs.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.limiter = SlidingWindowCounterRateLimiter(
            storage_from_string(
                settings.REDIS_URL,
                key_prefix="lab:limits",
                socket_timeout=BROKER_SECONDS,
                socket_connect_timeout=BROKER_SECONDS,
            )
        )
        self.everything = {kind: parse(rate) for kind, rate in EVERYTHING.items()}
        self.dear = {kind: parse(rate) for kind, rate in DEAR.items()}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable, args: tuple, kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        name = request.resolver_match.view_name
        if not settings.RATE_LIMITS or name in NOBODY_ASKS_TOO_OFTEN:
            return None
        kind, who = asker(request)
        dear = DEAR_ROUTES.get((request.method or "", name))
        try:
            self._count(self.everything[kind], "everything", kind, who)
            if dear is not None:
                self._count(self.dear[dear], dear, kind, who)
        except TooOften as refusal:
            return _refused(request, refusal)
        except redis.RedisError:
            return None
        return None

    def _count(self, rate: RateLimitItem, *whose: str) -> None:
        if not self.limiter.hit(rate, *whose):
            opens_at = self.limiter.get_window_stats(rate, *whose).reset_time
            raise TooOften(max(1, math.ceil(opens_at - time.time())))


def asker(request: HttpRequest) -> tuple[str, str]:
    """What kind of asker this is, and which one: a person has one count over all browsers; scripts
    and visitors are told apart by their address, since a token is not yet known to be valid."""
    if request.user.is_authenticated:
        return "person", str(request.user.pk)
    kind = "script" if "Authorization" in request.headers else "visitor"
    return kind, address(request)


def address(request: HttpRequest) -> str:
    """Where a request comes from; behind a proxy, uvicorn has put the visitor's own address."""
    return request.META.get("REMOTE_ADDR", "")


def _refused(request: HttpRequest, refusal: TooOften) -> HttpResponse:
    if request.path.startswith("/api/"):
        answer: HttpResponse = problem(429, str(refusal))
    else:
        answer = render(request, "429.html", {"seconds": refusal.seconds}, status=429)
    answer.headers["Retry-After"] = str(refusal.seconds)
    return answer
