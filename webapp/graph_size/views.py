"""The page and its figure."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.graph_size.figures import memory_against_horizon
from webapp.graph_size.sizes import examples, in_words


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    rows = [
        {
            "title": example.title,
            "parameters": in_words(example.parameters),
            "state": in_words(example.state_floats),
            "step": in_words(example.floats_per_step),
            "horizon": f"{example.horizon:,}",
            "floats": in_words(example.floats),
            "bytes": example.bytes,
        }
        for example in examples()
    ]
    versions = sorted({example.code_version for example in examples()})
    return render(request, "graph_size/page.html", {"rows": rows, "versions": versions})


@require_GET
def chart(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"graph-size": memory_against_horizon(examples())})
