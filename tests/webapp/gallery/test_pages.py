"""Every page of the gallery: whole, true to its stored results, and repeatable.

Parametrised over the registry, so that a new page is tested without a line here.
"""

from __future__ import annotations

import math
from typing import Any

import pytest

from benchmarks.gallery_measures import measure
from benchmarks.gallery_page import PATH, choices, text
from engine.events import MEASURED_SERIES
from engine.spec import validate
from webapp.exports.charts import Chart
from webapp.gallery.page import Page, Pick
from webapp.gallery.pages import PAGES
from webapp.gallery.results import path_of, results_of
from webapp.gallery.selectors import (
    builder_address,
    experiment_called,
    experiment_document,
    figures_document,
    reported_rows,
)
from webapp.gallery.thumbnails import marks_of

LARGEST = 150_000
"""Bytes of a page's results."""
LONGEST_KEY = 100
"""Of the source of a draft, as the database keeps it."""
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)


@each_page
def test_its_results_are_there_and_of_its_very_specs(page: Page) -> None:
    results = results_of(page)
    assert [cell.name for cell in results.missing] == [], "run make gallery"
    assert len(page.by_name) == len(page.cells), "two cells of one name"
    assert path_of(page).stat().st_size <= LARGEST
    for stored in results.stored.values():
        assert stored.code_version
        assert stored.date
        assert stored.machine["cores"]
        assert list(stored.seeds) == validate(dict(page.cell(**stored.key).spec)).seeds


@each_page
def test_every_choice_has_figures_with_their_twins_or_something_to_run(page: Page) -> None:
    for choice in choices(page):
        document = figures_document(page, choice)
        validate(experiment_document(page, choice))
        key = builder_address(page, choice)
        assert len(key) < LONGEST_KEY + len("/experiments/new?gallery=") + 20
        if choice == page.default:
            assert document["figures"], "the default is computed beforehand"
        for figure in document["figures"]:
            assert figure["title"]
            assert figure["text_summary"]
            assert figure["note"]
            assert figure["table"]["rows"] or "images" in figure
        assert bool(document["figures"]) == bool(document["finding"])


@each_page
def test_its_prediction_is_borne_out_by_the_results(page: Page) -> None:
    results, prediction = results_of(page), page.prediction
    assert prediction.because
    if isinstance(prediction, Pick):
        assert len(prediction.options) >= 2
        assert 0 <= prediction.right(results) < len(prediction.options)
        return
    measured = prediction.measured(results)
    low, high = prediction.ends
    assert len(measured) == len(prediction.x) == len(prediction.x_labels)
    assert all(value is None or low <= value <= high for value in measured)
    drawn = page.draw(results, page.default)
    assert drawn is not None
    assert prediction.figure in {figure.name for figure in drawn.figures}


@each_page
def test_what_was_reported_stands_beside_what_was_measured(page: Page) -> None:
    rows = reported_rows(page)
    assert rows
    assert all(row.measured and row.measured != "not measured yet" for row in rows)
    assert all("nan" not in row.measured for row in rows)
    assert page.sources
    assert page.formulas


@each_page
def test_its_small_picture_is_drawn(page: Page) -> None:
    drawn = page.draw(results_of(page), page.default)
    assert drawn is not None
    charts = [figure for figure in drawn.figures if isinstance(figure, Chart)]
    assert charts, "a question's card shows its first chart"
    assert marks_of(charts[0])


@each_page
def test_the_smallest_result_comes_out_again(page: Page) -> None:
    cell = page.cell(**page.smallest)
    stored = results_of(page).get(**page.smallest)
    double = validate(dict(cell.spec)).precision == "float64"
    again, kept = measure(cell), stored.result
    assert _differences(again, kept, 1e-6 if double else 1e-3) == []


def _differences(again: Any, kept: Any, tolerance: float, path: str = "") -> list[str]:
    """Where two results differ by more than `tolerance`; what the clock says is left out, and the
    best of a series where the version that made the kept one only had its last."""
    if isinstance(kept, dict):
        known = set(kept) | {f"best_{name}" for name in kept}
        if not set(kept) <= set(again) <= known:
            return [f"{path}: {sorted(again)} or {sorted(kept)}"]
        return [
            found
            for name, value in kept.items()
            if name.removeprefix("best_") not in MEASURED_SERIES
            for found in _differences(again[name], value, tolerance, f"{path}.{name}")
        ]
    if isinstance(kept, list):
        if len(again) != len(kept):
            return [f"{path}: {len(again)} or {len(kept)} entries"]
        return [
            found
            for place, (new, old) in enumerate(zip(again, kept, strict=True))
            for found in _differences(new, old, tolerance, f"{path}.{place}")
        ]
    if isinstance(kept, float) and isinstance(again, int | float):
        same = math.isclose(again, kept, rel_tol=tolerance, abs_tol=1e-6)
        return [] if same else [f"{path}: {again} or {kept}"]
    return [] if again == kept else [f"{path}: {again} or {kept}"]


@each_page
def test_the_builder_opens_what_the_page_shows(page: Page) -> None:
    for choice in choices(page):
        key = ",".join([page.slug, *(f"{k}={v}" for k, v in choice.items())])
        assert len(key) <= LONGEST_KEY
        assert experiment_called(key) == (page, experiment_document(page, choice))


def test_the_table_of_the_lecture_is_that_of_the_pages() -> None:
    assert PATH.read_text("utf-8") == text(), "run python -m benchmarks.gallery_page"


def test_no_two_pages_share_an_address() -> None:
    assert len({page.slug for page in PAGES}) == len(PAGES)
    assert [page.question.endswith("?") for page in PAGES] == [True] * len(PAGES)
