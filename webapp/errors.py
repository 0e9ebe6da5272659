"""The pages of what Django refuses, and of the lab's own mistakes.

Without anything that asks the database, which may be what is broken.
"""

from __future__ import annotations

import sys

from django.conf import settings
from django.core.exceptions import (
    DisallowedHost,
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import requires_csrf_token

from webapp.api.problems import problem
from webapp.observability.context import current_request_id

TOO_LARGE = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """413 for more than the lab reads; at an address that is not the lab's, its own one."""
    if isinstance(exception, TOO_LARGE):
        return HttpResponse(render_to_string("413.html"), status=413)
    address = settings.LAB_URL if isinstance(exception, DisallowedHost) else ""
    return HttpResponse(render_to_string("400.html", {"address": address}), status=400)


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """503 where the database does not answer; with the number under which the log knows the
    request."""
    status = 503 if isinstance(sys.exception(), OperationalError) else 500
    number = current_request_id()
    if request.path.startswith("/api/"):
        what = "The lab's database does not answer" if status == 503 else "The lab made a mistake"
        return problem(status, f"{what}; its log knows this request as {number}.")
    again = request.get_full_path() if request.method == "GET" else "/"
    page = render_to_string(f"{status}.html", {"request_id": number, "again": again})
    return HttpResponse(page, status=status)
