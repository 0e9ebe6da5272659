"""The gallery's pages, their figures as data and as files, and launching what they show."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from engine.spec import SpecError, validate
from webapp.experiments import services
from webapp.exports.chart_files import chart_content
from webapp.exports.charts import Chart
from webapp.exports.downloads import download
from webapp.exports.paper import SIZES
from webapp.exports.requests import BadRequest, read_font, read_width
from webapp.gallery import selectors
from webapp.gallery.page import Pick
from webapp.gallery.pictures import picture_content


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "gallery/index.html", {"cards": selectors.cards()})


@require_GET
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """A question. The figure and the answer come with `figures`, after the prediction."""
    found = selectors.page_called(slug)
    choice = selectors.choice_in(found, request.GET)
    context = {
        "page": found,
        "place": selectors.place_of(found),
        "choice": choice,
        "is_pick": isinstance(found.prediction, Pick),
        "sketch": selectors.sketch_document(found),
        "reported": selectors.reported_rows(found),
        "presenting": request.GET.get("present") == "1",
        "builder": selectors.builder_address(found, choice),
        "may_launch": request.user.is_authenticated and not request.user.only_looks,
    }
    return render(request, "gallery/page.html", context)


@require_GET
def figures(request: HttpRequest, slug: str) -> JsonResponse:
    """The figures for the controls' values in the query, and what they say."""
    found = selectors.page_called(slug)
    choice = selectors.choice_in(found, request.GET)
    document = selectors.figures_document(found, choice)
    return JsonResponse(document | {"builder": selectors.builder_address(found, choice)})


@require_GET
def figure_file(request: HttpRequest, slug: str, extension: str) -> HttpResponse:
    """One figure (`figure` is its name) as a file, drawn from what the page draws."""
    found = selectors.page_called(slug)
    drawn = selectors.drawn_for(found, selectors.choice_in(found, request.GET))
    named = {figure.name: figure for figure in drawn.figures} if drawn else {}
    try:
        name = request.GET.get("figure", "")
        if name not in named:
            allowed = ", ".join(named) or "none, since it has not been computed"
            raise BadRequest(f"figure: {name[:60]!r} is not possible; allowed: {allowed}.")
        size, font = SIZES[read_width(request.GET)], read_font(request.GET)
        figure = named[name]
        if isinstance(figure, Chart):
            content = chart_content(figure, extension, size, font)
        else:
            content = picture_content(found, figure, extension, size, font)
    except BadRequest as error:
        return HttpResponse(str(error), status=400, content_type="text/plain; charset=utf-8")
    return download(content, extension, [name, slug])


@require_POST
def launch(request: HttpRequest, slug: str) -> HttpResponse:
    """Run here what the page shows; what cannot run is opened in the builder, which says why."""
    found = selectors.page_called(slug)
    choice = selectors.choice_in(found, request.POST)
    try:
        kept = services.create_experiment(
            owner=request.user,
            experiment=validate(selectors.experiment_document(found, choice)),
        )
    except SpecError:
        return redirect(selectors.builder_address(found, choice))
    count = kept.runs.count()
    messages.success(request, f"Launched {count} run{'s' if count != 1 else ''}.")
    return redirect("experiments:detail", pk=kept.pk)
