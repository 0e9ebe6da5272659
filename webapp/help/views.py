"""The help: fields, charts and estimators, each explained where its definition is read from."""

from __future__ import annotations

from itertools import groupby

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from engine.spec.installed import AnyEstimator
from webapp.experiments.form.shapes import group_of, kind_of, models_in
from webapp.help import charts as chart_help
from webapp.help import fields as field_help
from webapp.help import queries as query_help
from webapp.help.estimators import ACCOUNTS

ESTIMATORS_AT = "estimators."


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    counts = {"fields": len(field_help.entries()), "charts": len(chart_help.entries())}
    return render(request, "help/index.html", {**counts, "estimators": len(ACCOUNTS)})


@require_GET
def fields(request: HttpRequest) -> HttpResponse:
    chapters = groupby(field_help.sections(), key=lambda section: section.chapter)
    context = {"chapters": [(title, list(sections)) for title, sections in chapters]}
    return render(request, "help/fields.html", context)


@require_GET
def charts(request: HttpRequest) -> HttpResponse:
    chapters = groupby(chart_help.entries().values(), key=lambda entry: entry.chapter)
    context = {"chapters": [(title, list(entries)) for title, entries in chapters]}
    return render(request, "help/charts.html", context)


@require_GET
def queries(request: HttpRequest) -> HttpResponse:
    """The query language of the table of runs."""
    context = {
        "examples": query_help.EXAMPLES,
        "comparisons": query_help.COMPARISONS,
        "own_fields": query_help.own_fields(),
        "short_names": query_help.short_names(),
        "spec_paths": query_help.spec_paths(),
        "metric_names": query_help.metric_names(),
    }
    return render(request, "help/queries.html", context)


@require_GET
def estimators(request: HttpRequest) -> HttpResponse:
    """Every estimator and search beside the others: bias and memory in a sentence each."""
    group = {kind_of(model): group_of(model) for model in models_in(AnyEstimator)}
    rows = []
    for section in field_help.sections():
        if section.place.startswith(ESTIMATORS_AT):
            kind = section.place.removeprefix(ESTIMATORS_AT)
            rows.append((group[kind], kind, section, ACCOUNTS.get(kind)))
    groups = groupby(rows, key=lambda row: row[0])
    context = {"groups": [(title, list(rows)) for title, rows in groups]}
    return render(request, "help/estimators.html", context)


@require_GET
def estimator(request: HttpRequest, kind: str) -> HttpResponse:
    place = f"{ESTIMATORS_AT}{kind}"
    section = next((one for one in field_help.sections() if one.place == place), None)
    if section is None:
        raise Http404(f"no estimator is called {kind!r}")
    context = {"section": section, "account": ACCOUNTS.get(kind)}
    return render(request, "help/estimator.html", context)
