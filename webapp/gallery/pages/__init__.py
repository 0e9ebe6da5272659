"""The registry: one line a page, in the order of the lecture."""

from __future__ import annotations

from webapp.gallery.page import Page
from webapp.gallery.pages import truncation

PAGES: tuple[Page, ...] = (truncation.PAGE,)

BY_SLUG = {page.slug: page for page in PAGES}
