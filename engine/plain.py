"""Figures and events as JSON, in which a number that is not finite keeps its name."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any


def plain(value: Any) -> Any:
    """`value` in dicts, lists, strings and finite numbers; "nan", "inf", "-inf" for the others."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def to_json(value: Any, **options: Any) -> str:
    return json.dumps(plain(value), allow_nan=False, ensure_ascii=False, **options)
