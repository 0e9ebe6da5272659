"""What a browser would post from a page: every control of a form with its value."""

from __future__ import annotations

from html.parser import HTMLParser

BUTTONS = {"submit", "button"}


class _Controls(HTMLParser):
    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id = form_id
        self.inside = False
        self.posted: dict[str, list[str]] = {}
        self.select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = values.get("id") == self.form_id
        if not self.inside:
            return
        if tag == "input" and "name" in values:
            ticked = values.get("type") not in ("checkbox", "radio") or "checked" in values
            if ticked:
                self._post(values["name"], values.get("value", ""))
        elif tag == "select":
            self.select = values["name"]
        elif tag == "option" and "selected" in values:
            self._post(self.select, values["value"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        if tag == "select" and self.select and self.inside:
            self.posted.setdefault(self.select, [""])
            self.select = ""

    def _post(self, name: str, value: str) -> None:
        self.posted.setdefault(name, []).append(value)


def fields_of(html: str, form_id: str = "builder-form") -> dict[str, list[str]]:
    """Names and values that the form `form_id` in `html` would post; empty selects post ""."""
    parser = _Controls(form_id)
    parser.feed(html)
    return parser.posted
