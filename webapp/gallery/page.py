"""What a page of the gallery is, as data. Free of Django and of torch.

A page is one file in `webapp/gallery/pages/` and one line in its registry. It declares its cells
(what is computed beforehand) and how their results become charts; views, templates and
`python -m benchmarks.gallery` know nothing else of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from engine.pictures import Picture
from webapp.exports.charts import Chart

if TYPE_CHECKING:
    from webapp.gallery.results import Results

Measure = Literal["gradient", "run", "forecast", "graph_size", "advice"]
"""What is computed of a spec: one meta-gradient of each estimator against the oracle (the document
of `python -m engine gradient --json`); the series of its runs; the forecast of its estimators;
the counted size of its computation graph; or what the lab advises first."""
Choice = Mapping[str, str]
"""The values of a page's controls, by name."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One result that is computed beforehand."""

    key: Mapping[str, str]
    """Names it among the cells of its page, by values of controls or of whatever varies."""
    spec: Mapping[str, Any]
    """An experiment, as YAML would have it."""
    measure: Measure = "run"
    series: tuple[str, ...] = ("meta_loss",)
    """Of a run: the series that are kept."""
    points: int = 60
    """Of a run: at most so many points of each series are kept, the first and the last too."""
    pictures: tuple[str, ...] = ()
    """Of a run: names of the pictures that are kept, each at as many steps as there are."""

    @property
    def name(self) -> str:
        """`window=10,steps=120`: it is part of addresses."""
        return ",".join(f"{name}={value}" for name, value in self.key.items())

    @property
    def digest(self) -> str:
        """Another spec or measure has another one, and is computed anew."""
        asked: dict[str, Any] = {"spec": self.spec, "measure": self.measure}
        if self.measure == "run":
            asked |= {"series": self.series, "points": self.points, "pictures": self.pictures}
        text = json.dumps(asked, sort_keys=True, default=dict)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Control:
    """What a visitor may choose: a name, and values each with what is written on its button."""

    name: str
    title: str
    options: Mapping[str, str]
    default: str


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """The figures for one choice, and what they say."""

    figures: tuple[Chart | GalleryPicture, ...]
    """The first is the page's large one."""
    finding: str
    """One sentence with the numbers of this very choice."""


@dataclass(frozen=True, kw_only=True)
class GalleryPicture:
    """A picture that a run made (distilled images, proposals over a loss), with what made it."""

    picture: Picture
    title: str
    explanation: str
    cell: Cell
    note: str = ""

    @property
    def name(self) -> str:
        return self.picture.name


@dataclass(frozen=True, kw_only=True)
class Pick:
    """A prediction by choosing one of a few answers."""

    question: str
    options: tuple[str, ...]
    right: Callable[[Results], int]
    """Which option the results bear out; computed, so that it cannot disagree with the figure."""
    because: str
    """One or two sentences that explain the right answer."""


@dataclass(frozen=True, kw_only=True)
class Sketch:
    """A prediction by drawing: a height at each of a few places, before the measured curve is
    shown in the same axes."""

    question: str
    x_title: str
    y_title: str
    x: tuple[float, ...]
    x_labels: tuple[str, ...]
    ends: tuple[float, float]
    """The lowest and the highest value that can be drawn."""
    ticks: Mapping[float, str]
    log: bool = False
    measured: Callable[[Results], tuple[float | None, ...]]
    """What is true at every place of `x`."""
    because: str
    figure: str
    """Name of the chart into which the guess is drawn."""


@dataclass(frozen=True)
class Formula:
    latex: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Reported:
    """What a paper or the lecture says beside what was measured here."""

    claim: str
    source: str
    """Paper, and which of its tables or figures."""
    reported: str
    measured: Callable[[Results], str]
    difference: str = ""
    """Why they differ, or in what the experiments do."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim or question of the lecture that this page answers: a row of docs/gallery.md."""

    text: str
    figure: str
    """Name of the figure that shows it."""
    result: Callable[[Results], str]


@dataclass(frozen=True)
class Source:
    text: str
    href: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Page:
    slug: str
    title: str
    """Short, for lists and breadcrumbs."""
    question: str
    setting: str
    """What is about to be measured, in two or three sentences, before any answer."""
    answer: str
    """The short answer, shown with the figure."""
    prediction: Pick | Sketch
    controls: tuple[Control, ...] = ()
    cells: tuple[Cell, ...]
    smallest: Mapping[str, str]
    """Key of the cell that a test computes again: cheap."""
    experiment: Callable[[Choice], Mapping[str, Any]]
    """The spec that "run it here" launches for a choice, and the builder opens."""
    draw: Callable[[Results, Choice], Drawn | None]
    """The figures for a choice; `None` where it has not been computed beforehand."""
    formulas: tuple[Formula, ...]
    reported: tuple[Reported, ...]
    claims: tuple[Claim, ...]
    sources: tuple[Source, ...]
    data: str = ""
    """Data that must be fetched first, where the page's specs need such."""

    @cached_property
    def by_name(self) -> dict[str, Cell]:
        return {cell.name: cell for cell in self.cells}

    def cell(self, **key: str) -> Cell:
        """The cell with exactly this key."""
        return next(cell for cell in self.cells if dict(cell.key) == key)

    @property
    def default(self) -> dict[str, str]:
        return {control.name: control.default for control in self.controls}

    def choice(self, asked: Mapping[str, str]) -> dict[str, str]:
        """The controls' values that `asked` names; `ValueError` for one that is not offered."""
        chosen = self.default
        for control in self.controls:
            value = asked.get(control.name, control.default)
            if value not in control.options:
                allowed = ", ".join(control.options)
                raise ValueError(
                    f"{control.name}: {value[:60]!r} is not possible; allowed: {allowed}."
                )
            chosen[control.name] = value
        return chosen
