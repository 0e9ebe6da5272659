"""Stored results of a page's cells: docs/results/gallery/SLUG.json, as `python -m
benchmarks.gallery` writes it. Free of Django and of torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from webapp.gallery.page import Cell, Page

FOLDER = Path(__file__).parents[2] / "docs" / "results" / "gallery"


@dataclass(frozen=True)
class Stored:
    """One computed cell: what came out, and where it comes from."""

    key: Mapping[str, str]
    digest: str
    date: str
    code_version: str
    machine: Mapping[str, Any]
    seeds: tuple[int, ...]
    seconds: float
    result: Any
    """As the cell's measure gives it."""

    @property
    def runs(self) -> list[dict[str, Any]]:
        """Of a "run": each with `label`, `group`, `seed`, `sweep`, `meta_parameters`,
        `status`, `series` (name to `[steps, values]`), `last` and `pictures`."""
        return self.result["runs"]

    @property
    def estimators(self) -> list[dict[str, Any]]:
        """Of a "gradient" or a "forecast": a row for each estimator, in the order of the spec."""
        return self.result["estimators"]


class MissingResult(LookupError):
    """A cell that has not been computed."""


class Results:
    """What is stored of one page."""

    def __init__(self, page: Page, cells: list[Stored]) -> None:
        self.page = page
        current = {cell.name: cell.digest for cell in page.cells}
        names = {",".join(f"{k}={v}" for k, v in each.key.items()): each for each in cells}
        self.stored = {
            name: names[name]
            for name in page.by_name
            if name in names and names[name].digest == current[name]
        }
        """By the cells' names, in their order; one of another spec than the page's is left out."""

    def find(self, **key: str) -> Stored | None:
        return next((each for each in self.stored.values() if dict(each.key) == key), None)

    def get(self, **key: str) -> Stored:
        """The result with exactly this key; raises `MissingResult` where there is none."""
        found = self.find(**key)
        if found is None:
            raise MissingResult(f"{self.page.slug}: no result of {key}; run make gallery")
        return found

    @property
    def missing(self) -> list[Cell]:
        return [cell for cell in self.page.cells if cell.name not in self.stored]


def path_of(page: Page) -> Path:
    return FOLDER / f"{page.slug}.json"


def results_of(page: Page) -> Results:
    path = path_of(page)
    return _read(page, path.stat().st_mtime_ns if path.exists() else 0)


@lru_cache(maxsize=64)
def _read(page: Page, _changed: int) -> Results:
    return Results(page, read_cells(path_of(page)))


def read_cells(path: Path) -> list[Stored]:
    if not path.exists():
        return []
    document = json.loads(path.read_text("utf-8"))
    return [Stored(**{**each, "seeds": tuple(each["seeds"])}) for each in document["cells"]]


def number(value: Any) -> float:
    """A figure as a float; one that is not finite is stored by its name."""
    return float("nan") if value is None else float(value)


def last_values(stored: Stored, group: int, name: str) -> list[float]:
    """Of the runs of one group, over seeds, the last value of a series."""
    return [number(run["last"].get(name)) for run in stored.runs if run["group"] == group]
