"""Files to take along."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.text import slugify

CONTENT_TYPES = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "tex": "application/x-tex; charset=utf-8",
}


def download(content: bytes | str, extension: str, words: list[str]) -> HttpResponse:
    """An answer that the browser saves, under a name made of `words`."""
    response = HttpResponse(content, content_type=CONTENT_TYPES[extension])
    name = "-".join(filter(None, (slugify(word)[:60] for word in words))) or "figure"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{extension}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
