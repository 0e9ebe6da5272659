"""CSV that says where it comes from, and that a spreadsheet may open without harm."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_SEPARATES = re.compile(r'[,;|]|(?<=^")[=+\-@]')


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[str]], *, origin: str) -> str:
    """A line `# {…}` with `origin` (JSON), the header, and the rows."""
    text = io.StringIO()
    text.write(f"# {_within_a_line(origin)}\r\n")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def safe_cell(text: str) -> str:
    """`text`, which a spreadsheet will not take for a formula."""
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text


def _within_a_line(origin: str) -> str:
    """The same JSON, without anything in its strings that could begin a cell or a formula.

    A spreadsheet splits the line at commas and takes `=…` after one for a formula; JSON may write
    such a character as its number.
    """
    return _JSON_STRING.sub(
        lambda string: _SEPARATES.sub(lambda one: f"\\u{ord(one[0]):04x}", string[0]), origin
    )
