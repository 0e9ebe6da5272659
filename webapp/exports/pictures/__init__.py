"""Pictures of what a run learned: one view of each kind of drawing serves page and paper."""

from __future__ import annotations

from typing import Any

from engine.pictures import Picture
from webapp.exports.paper import Font, Format, Size, on_paper
from webapp.exports.pictures.curves import CurvesView
from webapp.exports.pictures.graph import GraphView
from webapp.exports.pictures.images import ImagesView
from webapp.exports.pictures.particles import ParticlesView
from webapp.exports.pictures.view import View

_VIEWS: dict[str, type[View]] = {
    "images": ImagesView,
    "curves": CurvesView,
    "graph": GraphView,
    "particles": ParticlesView,
}

__all__ = ["page_picture", "print_picture", "view_of"]


def view_of(picture: Picture) -> View:
    return _VIEWS[picture.drawing.kind](picture.drawing)


def page_picture(picture: Picture) -> dict[str, Any]:
    """What the page draws, with its twins in words and numbers."""
    view = view_of(picture)
    header, rows = view.table()
    return {
        "name": picture.name,
        "title": picture.title,
        "kind": picture.drawing.kind,
        **view.page(),
        "text_summary": f"{picture.title}. {view.words()}",
        "table": {"header": header, "rows": rows},
    }


def print_picture(
    picture: Picture,
    format: Format,
    size: Size,
    *,
    title: str,
    origin: str,
    font: Font = "sans",
) -> bytes:
    """The content of a file at true size. The same picture gives the same bytes."""
    view = view_of(picture)
    width, height = view.extent(size)
    return on_paper(
        lambda canvas: view.draw(canvas, size),
        format=format,
        size=size,
        width=width,
        height=height,
        title=title,
        origin=origin,
        font=font,
    )
