"""The builder's forecast panel, asked for again until its answer is complete."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.forecasts.panel import Panel
from webapp.forecasts.services import outlook_for


@require_GET
def panel(request: HttpRequest, key: str) -> HttpResponse:
    """What is known now of the question `key`: the element that asks again, and what changed."""
    context = {"panel": Panel(outlook_for(key))}
    return render(request, "forecasts/answer.html", context)
