"""The gallery's results: docs/results/gallery/SLUG.json, and the table of docs/gallery.md.

    python -m benchmarks.gallery              # every cell that is missing or whose spec changed
    python -m benchmarks.gallery SLUG …       # of these pages alone
    python -m benchmarks.gallery SLUG --again # computed anew, whether there or not

Each cell is written the moment it is done, so an interrupted computation goes on where it was.
Cells of the smallest horizon and fewest outer steps come first.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.applications import provenance
from benchmarks.gallery_measures import measure
from benchmarks.gallery_page import write_page
from engine.spec import expand, validate
from webapp.gallery.page import Cell, Page
from webapp.gallery.pages import BY_SLUG, PAGES
from webapp.gallery.results import Stored, path_of, read_cells


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gallery")
    parser.add_argument("slugs", nargs="*", metavar="SLUG", choices=[[], *BY_SLUG])
    parser.add_argument("--again", action="store_true", help="compute what is there too")
    arguments = parser.parse_args()
    pages = [BY_SLUG[slug] for slug in arguments.slugs] or list(PAGES)
    wanted = [
        (page, cell) for page in pages for cell in page.cells
        if arguments.again or stored(page, cell) is None
    ]  # fmt: skip
    if not wanted:
        print("Every result is there; --again computes them anew.")
    wanted.sort(key=lambda pair: work(pair[1]))
    with tqdm(wanted, unit="cell", disable=None) as bar:
        try:
            for page, cell in bar:
                bar.set_description(f"{page.slug} {cell.name}")
                keep(page, compute(cell))
        except KeyboardInterrupt:
            bar.write("Stopped; what is done is kept. The same command goes on.")
            raise SystemExit(130) from None
    for page in pages:
        keep(page)
    write_page()


def compute(cell: Cell) -> Stored:
    started = time.monotonic()
    result = measure(cell)
    return Stored(
        key=dict(cell.key),
        digest=cell.digest,
        **provenance(),
        seeds=tuple(validate(dict(cell.spec)).seeds),
        seconds=round(time.monotonic() - started, 1),
        result=result,
    )


def stored(page: Page, cell: Cell) -> Stored | None:
    """The result of `cell` as it stands in the file, if it is of this very spec."""
    return next((each for each in read_cells(path_of(page)) if each.digest == cell.digest), None)


def keep(page: Page, *found: Stored) -> None:
    """Write `found` beside what is there, in the page's order; what no cell asks for is dropped."""
    by_digest = {each.digest: each for each in (*read_cells(path_of(page)), *found)}
    cells = [
        asdict(by_digest[cell.digest]) | {"key": dict(cell.key)}
        for cell in page.cells if cell.digest in by_digest
    ]  # fmt: skip
    write(path_of(page), {"page": page.slug, "cells": cells})


def write(path: Path, document: dict[str, Any]) -> None:
    """Whole or not at all. One line a cell: a change shows as the cells that changed."""
    lines = ",\n".join(json.dumps(cell, ensure_ascii=False) for cell in document["cells"])
    text = f'{{"page": {json.dumps(document["page"])}, "cells": [\n{lines}\n]}}\n'
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    beside.write_text(text, "utf-8")
    beside.replace(path)


def work(cell: Cell) -> int:
    """Inner steps, about: what orders the cells."""
    if cell.measure in ("forecast", "graph_size", "advice"):
        return 0
    experiment = validate(dict(cell.spec))
    if cell.measure == "gradient":
        return experiment.inner.steps * len(experiment.estimators)
    return sum(run.spec.inner.steps * run.spec.outer.steps for run in expand(experiment))


if __name__ == "__main__":
    main()
