"""Markdown that people write, as HTML that can do no harm."""

from __future__ import annotations

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

_TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol",
    "p", "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
"""What is kept; a page loads no image that somebody names, and has one h1 of its own."""
_markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_ONE_LOWER = {"heading_open", "heading_close"}


def to_html(text: str) -> SafeString:
    """`text`, CommonMark with tables and struck words, as a fragment for a page."""
    tokens = _markdown.parse(text)
    for token in tokens:
        if token.type in _ONE_LOWER:
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
    drawn = _markdown.renderer.render(tokens, _markdown.options, {})
    clean = nh3.clean(
        drawn,
        tags=_TAGS,
        attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    # It is clean by now.
    return mark_safe(clean)  # noqa: S308  # nosec B308 B703
