"""The counted sizes of computation graphs, read from the file that `benchmarks.graph_size` writes.

They are counted beforehand and lie beside the code: they are facts of the code, the same on every
machine, and the largest networks take a minute each to trace.
"""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

from engine.forecast.records import GraphSize

PATH = Path(__file__).parent / "sizes.json"


class Example(GraphSize):
    """One inner loop, as `engine.forecast.graph_size` counted it."""

    slug: str
    title: str
    spec: dict[str, Any]
    code_version: str
    """Of the code that counted."""


@cache
def examples() -> list[Example]:
    """In the order in which they are shown."""
    return [
        Example.model_validate(item) for item in json.loads(PATH.read_text("utf-8"))["examples"]
    ]


def in_words(count: int) -> str:
    """`26,122`, `1.10 million`, `4.39 billion`: three digits where there are many."""
    for name, scale in (("trillion", 10**12), ("billion", 10**9), ("million", 10**6)):
        if count >= 0.9995 * scale:
            value = count / scale
            digits = max(0, 2 - int(math.log10(max(value, 1.0))))
            return f"{value:,.{digits}f} {name}"
    return f"{count:,}"
