"""`python -m engine list`: what a spec can name."""

from __future__ import annotations

import inspect
import json
from typing import Any, get_args

from engine import data
from engine.presets import PRESETS
from engine.spec.inner_loop import AnyInnerOptimizer
from engine.spec.installed import ESTIMATORS, INNER_TASKS, META_PARAMETERS


def print_listing(*, as_json: bool) -> int:
    """Print the kinds of every part, as a table or as one JSON document; always 0."""
    document = listing()
    if as_json:
        print(json.dumps(document, ensure_ascii=False))
        return 0
    for section, entries in document.items():
        print(section.replace("meta_", "meta-").replace("_", " ").capitalize())
        names = [entry.get("kind") or entry.get("slug") or entry["name"] for entry in entries]
        width = max(map(len, names))
        for name, entry in zip(names, entries, strict=True):
            here = "" if entry.get("here", True) else f" (not here: {entry['command']})"
            print(f"  {name:{width}}  {entry['title']}{here}")
    return 0


def listing() -> dict[str, list[dict[str, Any]]]:
    """Kind, title and description of everything that a spec can name."""
    methods = ESTIMATORS.values()
    return {
        "inner_tasks": [_described(model) for model in INNER_TASKS.values()],
        "inner_optimizers": [_described(model) for model in _members(AnyInnerOptimizer)],
        "meta_parameters": [_described(model) for model in META_PARAMETERS.values()],
        "estimators": [_described(model) for model in methods if not model.proposes],
        "searches": [_described(model) for model in methods if model.proposes],
        "presets": [
            {"slug": preset.slug, "title": preset.title, "description": preset.question}
            for preset in PRESETS
        ],
        "data_sets": [
            {
                "name": name,
                "title": data.title(name),
                "here": data.available(name),
                "command": data.fetch_command(name),
            }
            for name in data.NAMES
        ],
    }


def _members(union: Any) -> tuple[type, ...]:
    """The models of an annotated union."""
    return get_args(get_args(union)[0])


def _described(model: Any) -> dict[str, Any]:
    return {
        "kind": model.model_fields["kind"].default,
        "title": model.title,
        "description": inspect.cleandoc(model.__doc__),
    }
