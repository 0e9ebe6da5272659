"""One search over runs, experiments, presets and the help."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.search.finding import LONGEST_QUESTION, find

IN_A_LIST = 4
ON_A_PAGE = 20


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """The page with all that was found, or for htmx the short list below the search field."""
    question = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_QUESTION]
    partial = request.headers.get("HX-Request") == "true"
    groups = find(request.user, question, most=IN_A_LIST if partial else ON_A_PAGE)
    context = {"question": question, "groups": groups}
    return render(request, "search/_list.html" if partial else "search/page.html", context)
