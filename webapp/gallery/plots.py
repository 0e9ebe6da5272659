"""The two kinds of charts that most pages draw: curves over a size or a course, and methods beside
each other. Both bring their table, their records and their summary in words."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from statistics import fmean, stdev

from engine.pictures import Picture
from webapp.compare.scales import scale
from webapp.exports.charts import Chart, Stroke
from webapp.exports.metrics import Unit
from webapp.exports.numbers import format_value, format_with_error
from webapp.exports.palette import slot_of
from webapp.exports.pictures.axes import Axis, axis
from webapp.gallery.charts import Banded, chart, curve, note
from webapp.gallery.page import GalleryPicture, Page
from webapp.gallery.results import Stored

SEED_WIDTH = 0.16
"""How far from its middle the seeds of a method are spread."""


def line_plot(
    page: Page,
    stored: Sequence[Stored],
    lines: Mapping[str, Banded],
    *,
    name: str,
    title: str,
    explanation: str,
    x_title: str,
    y_title: str,
    unit: Unit = "",
    x_log: bool = False,
    y_log: bool = False,
    dashed: Collection[str] = (),
    marked: bool = True,
    slots: Mapping[str, int] | None = None,
) -> Chart:
    """Curves with bands over seeds, each in its colour of `slots`, else in that of its place."""
    slots = slots or {label: place for place, label in enumerate(lines)}
    heights = [v for line in lines.values() for v in (*line.mean, *line.low, *line.high)]
    finite = [v for v in heights if v is not None and math.isfinite(v) and (v > 0 or not y_log)]
    places = sorted({x for line in lines.values() for x in line.x})
    by_place = {label: dict(zip(line.x, line.mean, strict=True)) for label, line in lines.items()}
    most_seeds = max(line.seeds for line in lines.values())
    band = f" Bands: ± 1 standard error over {most_seeds} seeds." if most_seeds > 1 else ""
    return chart(
        page,
        stored,
        name=name,
        title=title,
        explanation=explanation + band,
        x=axis(x_title, x_log, places),
        y=scale(y_title, finite, unit=unit, log=y_log).axis,
        strokes=[
            curve(
                _above_zero(line) if y_log else line,
                label,
                slot_of(slots[label]),
                dash="dash" if label in dashed else "solid",
                marked=marked,
            )
            for label, line in lines.items()
        ],
        summary=f"{y_title} at the right end: "
        + ", ".join(f"{label} {format_value(line.mean[-1], unit)}" for label, line in lines.items())
        + ".",
        header=(x_title, *lines),
        rows=[
            (
                f"{place:,g}",
                *(format_value(values.get(place), unit) for values in by_place.values()),
            )
            for place in places
        ],
        records=[
            {"curve": label, "x": x, "mean": mean, "low": low, "high": high, "seeds": line.seeds}
            for label, line in lines.items()
            for x, mean, low, high in zip(line.x, line.mean, line.low, line.high, strict=True)
        ],
    )


def _above_zero(line: Banded) -> Banded:
    """For a logarithmic axis: what it has no place for leaves a gap."""
    mean = tuple(v if v is not None and v > 0 else None for v in line.mean)
    low = tuple(
        max(end, middle / 10) if middle is not None else math.nan
        for end, middle in zip(line.low, mean, strict=True)
    )
    return Banded(line.x, mean, low, line.high, line.seeds)


def training_plot(
    page: Page,
    stored: Stored,
    curves: Mapping[str, Banded],
    *,
    title: str,
    explanation: str,
    y: Axis,
) -> Chart:
    """The meta-loss over the outer steps by estimate, the exact one first."""
    return chart(
        page,
        [stored],
        name="training",
        title=title,
        explanation=explanation,
        x=axis("Outer step", False, next(iter(curves.values())).x),
        y=y,
        strokes=[
            curve(banded, label, 6 if place == 0 else place)
            for place, (label, banded) in enumerate(curves.items())
        ],
        summary="Meta-loss after the last outer step: "
        + ", ".join(f"{label} {format_value(b.mean[-1])}" for label, b in curves.items())
        + ".",
        header=("Estimate", "First meta-loss", "Last meta-loss", "Seeds"),
        rows=[
            (label, format_value(b.mean[0]), format_value(b.mean[-1]), str(b.seeds))
            for label, b in curves.items()
        ],
        records=[
            {"estimate": label, "outer_step": x, "meta_loss": y}
            for label, b in curves.items()
            for x, y in zip(b.x, b.mean, strict=True)
        ],
    )


def method_plot(
    page: Page,
    stored: Sequence[Stored],
    methods: Mapping[str, Sequence[float]],
    *,
    name: str,
    title: str,
    explanation: str,
    y_title: str,
    unit: Unit = "",
    log: bool = False,
    reference: tuple[str, float] | None = None,
    slots: Mapping[str, int] | None = None,
) -> Chart:
    """The mean of each method with ± 1 standard error, and a faint point for every seed.

    `reference` is a dashed level with its label, such as what a run begins with.
    """
    values = [v for seeds in methods.values() for v in seeds if math.isfinite(v)]
    level = [reference[1]] if reference else []
    ends = (-0.5, len(methods) - 0.5)
    strokes = []
    if reference:
        strokes.append(
            Stroke(
                label=reference[0], x=ends, y=(reference[1], reference[1]), slot=6, dash="dash",
                joined=True, marked=False,
            )
        )  # fmt: skip
    for place, (label, seeds) in enumerate(methods.items()):
        slot = slot_of(slots[label] if slots else place)
        mean, error = mean_and_error(seeds)
        if len(seeds) > 1:
            spread = [SEED_WIDTH * (2 * k / (len(seeds) - 1) - 1) for k in range(len(seeds))]
            strokes.append(
                Stroke(
                    label=label, x=tuple(place + each for each in spread), y=tuple(seeds),
                    slot=slot, faint=True, in_legend=False,
                )
            )  # fmt: skip
        strokes.append(
            Stroke(
                label=label, x=(place,), y=(mean,), slot=slot,
                y_low=(mean - error,), y_high=(mean + error,),
                words=(format_with_error(mean, error or None, unit),), in_legend=False,
            )
        )  # fmt: skip
    shown = {label: mean_and_error(seeds) for label, seeds in methods.items()}
    count = max(len(seeds) for seeds in methods.values())
    return chart(
        page,
        stored,
        name=name,
        title=title,
        explanation=f"{explanation} Mean ± 1 standard error; faint: each of {count} seeds.",
        x=Axis("", False, tuple(range(len(methods))), ends, tuple(methods)),
        y=scale(y_title, [*values, *level], unit=unit, log=log).axis,
        strokes=strokes,
        summary=f"{y_title}: "
        + ", ".join(
            f"{label} {format_with_error(mean, error or None, unit)}"
            for label, (mean, error) in shown.items()
        )
        + (f"; {reference[0]} {format_value(reference[1], unit)}" if reference else "")
        + ".",
        header=("Method", y_title, "Standard error", "Seeds"),
        rows=[
            (label, format_value(mean, unit), format_value(error, unit), str(len(methods[label])))
            for label, (mean, error) in shown.items()
        ],
        records=[
            {"method": label, "seed": place, "value": value}
            for label, seeds in methods.items()
            for place, value in enumerate(seeds)
        ],
    )


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """The mean and its standard error; of a single value, no error."""
    return fmean(values), stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0


def last_picture(
    page: Page, stored: Stored, group: int, *, name: str = "", explanation: str
) -> GalleryPicture:
    """What the first run of `group` had pictured in the end; raises `LookupError` without one."""
    run = next(run for run in stored.runs if run["group"] == group)
    drawn = [each["picture"] for each in run["pictures"] if name in ("", each["picture"]["name"])]
    picture = Picture.model_validate(drawn[-1])
    return GalleryPicture(
        picture=picture,
        title=picture.title,
        explanation=explanation,
        cell=page.cell(**stored.key),
        note=note([stored]),
    )
