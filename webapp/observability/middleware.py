"""Every request has an id, in its answer's header and in the log; its time goes to the metrics."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from webapp.observability import context, metrics

HEADER = "X-Request-ID"
# What a proxy in front may name a request; anything else could forge lines of the log.
ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestIdMiddleware:
    """The outermost: it sees every answer, an error's too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER, "")
        request_id = given if ACCEPTABLE.fullmatch(given) else uuid.uuid4().hex
        began = time.perf_counter()
        with context.request(request_id, request.META.get("REMOTE_ADDR") or None):
            response = self.get_response(request)
        response.headers[HEADER] = request_id
        metrics.observe_request(
            method=request.method or "",
            route=_route(request),
            status=response.status_code,
            seconds=time.perf_counter() - began,
        )
        return response


def _route(request: HttpRequest) -> str:
    """The pattern of the address, not the address: those are countless, and some are secrets."""
    match = request.resolver_match
    return match.route if match is not None else "(none)"
