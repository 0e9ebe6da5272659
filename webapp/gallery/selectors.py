"""What the gallery's views show: pages, their figures, and what launches from them."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from django.http import Http404
from django.urls import reverse
from django.utils.http import urlencode

from webapp.exports.charts import Chart
from webapp.exports.pictures import page_picture
from webapp.exports.plotly_chart import page_chart
from webapp.gallery.page import Choice, Drawn, GalleryPicture, Page, Pick, Sketch
from webapp.gallery.pages import BY_SLUG, PAGES
from webapp.gallery.results import MissingResult, Results, results_of
from webapp.gallery.thumbnails import Mark, marks_of

ALL_FORMATS = "svg pdf png csv json tex"
PICTURE_FORMATS = "svg pdf png json"


def page_called(slug: str) -> Page:
    if slug not in BY_SLUG:
        raise Http404(f"The gallery has no page {slug}.")
    return BY_SLUG[slug]


@dataclass(frozen=True)
class Place:
    """A page among the others."""

    page: Page
    number: int
    count: int
    """Of all pages."""
    before: Page | None
    after: Page | None


def place_of(page: Page) -> Place:
    around = (None, *PAGES, None)
    number = PAGES.index(page) + 1
    return Place(page, number, len(PAGES), around[number - 1], around[number + 1])


def drawn_for(page: Page, choice: Choice) -> Drawn | None:
    """The figures of `choice`; `None` where it, or what it needs, is not computed beforehand."""
    try:
        return page.draw(results_of(page), choice)
    except MissingResult:
        return None


def figures_document(page: Page, choice: Choice) -> dict[str, Any]:
    """What the page's script draws: the figures, what they say, and what was predicted of them."""
    drawn = drawn_for(page, choice)
    return {
        "choice": dict(choice),
        "figures": [_as_json(figure) for figure in drawn.figures] if drawn else [],
        "finding": drawn.finding if drawn else "",
        "prediction": prediction_document(page) if dict(choice) == page.default else None,
    }


def _as_json(figure: Chart | GalleryPicture) -> dict[str, Any]:
    if isinstance(figure, Chart):
        return {**page_chart(figure), "formats": ALL_FORMATS}
    return {
        **page_picture(figure.picture),
        "title": figure.title,
        "explanation": figure.explanation,
        "note": figure.note,
        "formats": PICTURE_FORMATS,
    }


def prediction_document(page: Page) -> dict[str, Any] | None:
    """What is true; asked for with the figure, so that the page itself does not give it away."""
    prediction = page.prediction
    try:
        results = results_of(page)
        if isinstance(prediction, Pick):
            return {
                "kind": "pick", "right": prediction.right(results), "because": prediction.because,
            }  # fmt: skip
        return {
            "kind": "sketch",
            "measured": list(prediction.measured(results)),
            "because": prediction.because,
            "figure": prediction.figure,
        }
    except MissingResult:
        return None


@dataclass(frozen=True)
class Beside:
    """What was reported beside what was measured, in words."""

    claim: str
    source: str
    reported: str
    measured: str
    difference: str


def reported_rows(page: Page) -> list[Beside]:
    results = results_of(page)
    return [
        Beside(
            row.claim, row.source, row.reported, _measured(row.measured, results), row.difference
        )
        for row in page.reported
    ]


def _measured(words: Any, results: Results) -> str:
    try:
        return words(results)
    except MissingResult:
        return "not measured yet"


def sketch_document(page: Page) -> dict[str, Any] | None:
    """The empty axes that a visitor draws into."""
    prediction = page.prediction
    if not isinstance(prediction, Sketch):
        return None
    document = {
        name: value
        for name, value in asdict(prediction).items()
        if name not in ("measured", "because", "figure")
    }
    return document | {"ticks": [[value, words] for value, words in prediction.ticks.items()]}


def experiment_document(page: Page, choice: Choice) -> dict[str, Any]:
    """The spec that the page launches and the builder opens."""
    document = deepcopy(dict(page.experiment(choice)))
    return {"name": f"Gallery: {page.title}"} | document


def choice_in(page: Page, asked: Mapping[str, str]) -> dict[str, str]:
    """The controls' values in an address; raises `Http404` for one that is not offered."""
    try:
        return page.choice(asked)
    except ValueError as error:
        raise Http404(str(error)) from None


def builder_address(page: Page, choice: Choice) -> str:
    """Where the builder opens the spec of `choice`."""
    key = ",".join([page.slug, *(f"{name}={value}" for name, value in choice.items())])
    return f"{reverse('experiments:new')}?{urlencode({'gallery': key})}"


def experiment_called(key: str) -> tuple[Page, dict[str, Any]]:
    """The page and the spec that `builder_address` names; raises `Http404` for another key."""
    slug, *pairs = key.split(",")
    if not all("=" in pair for pair in pairs):
        raise Http404(f"{key!r} names no experiment of the gallery.")
    page = page_called(slug)
    choice = choice_in(page, dict(pair.split("=", 1) for pair in pairs))
    return page, experiment_document(page, choice)


@dataclass(frozen=True)
class Card:
    """A question on the gallery's first page, with its first chart drawn small."""

    place: Place
    marks: tuple[Mark, ...]


def cards() -> list[Card]:
    return [Card(place_of(page), _marks(results_of(page))) for page in PAGES]


@lru_cache(maxsize=64)
def _marks(results: Results) -> tuple[Mark, ...]:
    drawn = drawn_for(results.page, results.page.default)
    chart = (
        next((each for each in drawn.figures if isinstance(each, Chart)), None) if drawn else None
    )
    return marks_of(chart) if chart else ()
