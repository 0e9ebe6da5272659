"""docs/gallery.md: every claim and question of the lecture, and the figure that answers it.

    python -m benchmarks.gallery_page

Written from the pages themselves and their stored results, so that it cannot disagree with them.
"""

from __future__ import annotations

from pathlib import Path

from webapp.gallery.page import Drawn, Page
from webapp.gallery.pages import PAGES
from webapp.gallery.results import MissingResult, Results, results_of

PATH = Path(__file__).parents[1] / "docs" / "gallery.md"
HEAD = """# The gallery: the lecture, told by experiments

One page a question, at `/gallery/`. Before the figure appears, the page asks for a prediction; the
figure is drawn from the stored results of real runs (`docs/results/gallery/`), which
`make gallery` computes again: it finishes what is missing and leaves what is there, and goes on
where it was interrupted. Each result has its date, code version, seeds and machine; a test computes
the smallest one of every page again and compares. `GALLERY_OPEN=1` opens the pages to visitors
without an account; launching from them stays with members.

Figures below are those of the stored results. This table is written by `make gallery`.

| The lecture | Page | Figure | Result |
|---|---|---|---|
"""
TAIL = """
## A page of one's own
A page is one file in `webapp/gallery/pages/` (a question, a prediction, cells, controls, charts,
formulas, what was reported beside what was measured, sources) and one line in the registry there.
"""


def text() -> str:
    rows = [row for page in PAGES for row in _rows(page, results_of(page))]
    return HEAD + "".join(rows) + TAIL


def _rows(page: Page, results: Results) -> list[str]:
    titles = _titles(page, results)
    link = f"[{page.question}](/gallery/{page.slug}/)"
    return [
        f"| {claim.text} | {link} | {titles[claim.figure]} | {_line(claim.result(results))} |\n"
        for claim in page.claims
    ]


def _titles(page: Page, results: Results) -> dict[str, str]:
    """Of every figure that some choice of the page's controls shows."""
    found: dict[str, str] = {}
    for choice in choices(page):
        try:
            drawn = page.draw(results, choice)
        except MissingResult:
            continue
        if isinstance(drawn, Drawn):
            found |= {figure.name: figure.title for figure in drawn.figures}
    return found


def choices(page: Page) -> list[dict[str, str]]:
    """The default, and every other value of each control beside the defaults of the others."""
    return [page.default] + [
        page.default | {control.name: value}
        for control in page.controls
        for value in control.options
        if value != control.default
    ]


def _line(words: str) -> str:
    return " ".join(words.replace("|", "\\|").split())


def write_page() -> None:
    PATH.write_text(text(), "utf-8")


if __name__ == "__main__":
    write_page()
