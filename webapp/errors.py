"""The page of the lab's own mistakes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import requires_csrf_token

from webapp.observability.context import current_request_id


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """Without anything that asks the database, which may be what is broken; with the number under
    which the log knows the request."""
    page = render_to_string("500.html", {"request_id": current_request_id()})
    return HttpResponse(page, status=500)
