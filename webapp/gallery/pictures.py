"""A stored picture of a gallery's run as a file, with its origin inside."""

from __future__ import annotations

import json

from webapp.exports.paper import Font, Size
from webapp.exports.pictures import print_picture
from webapp.exports.requests import BadRequest
from webapp.gallery.page import GalleryPicture, Page

POSSIBLE = ("svg", "pdf", "png", "json")


def picture_content(
    page: Page, figure: GalleryPicture, extension: str, size: Size, font: Font
) -> bytes | str:
    """`extension` is one of `POSSIBLE`; raises `BadRequest` for another."""
    if extension not in POSSIBLE:
        allowed = ", ".join(POSSIBLE)
        raise BadRequest(f"format: {extension!r} is not possible of a picture; allowed: {allowed}.")
    origin = {"page": page.slug, "cell": figure.cell.name, "spec": dict(figure.cell.spec),
              "note": figure.note}  # fmt: skip
    if extension == "json":
        whole = {"provenance": origin, "picture": figure.picture.model_dump(mode="json")}
        return json.dumps(whole, ensure_ascii=False, indent=1)
    return print_picture(
        figure.picture, extension, size, title=f"{figure.title}: {page.title}",
        origin=json.dumps(origin), font=font,
    )  # fmt: skip
