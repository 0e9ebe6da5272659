"""The values of a swept field as one line of text, and back: a YAML list without its brackets."""

import json
import re
from typing import Any

from engine.spec import SpecError, parse_text

PLAIN_WORD = re.compile(r"(?!(?:true|false|yes|no|on|off|null|y|n)$)[a-z_]\w*", re.ASCII)


def shown(values: Any) -> str:
    """`values` as text; something that is not a list as it was written."""
    if not isinstance(values, list):
        return str(values)
    return ", ".join(_item(value) for value in values)


def parsed(text: str) -> Any:
    """The list that `text` writes, or `text` itself where it is none."""
    try:
        return parse_text(f"[{text}]")
    except SpecError:
        return text


def _item(value: Any) -> str:
    if isinstance(value, str) and PLAIN_WORD.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=False)
