"""Text and values that break what is careless, and specs that are almost right."""

from __future__ import annotations

import copy
import math
from typing import Any

from hypothesis import strategies as st

from engine.presets import PRESETS
from engine.spec import parse_text
from engine.spec.experiment import Experiment

SCHEMA = Experiment.model_json_schema()
PRESET_DOCUMENTS = [parse_text(preset.text) for preset in PRESETS]

LONG = 5_000
VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2**31, 2**63, -(2**63) - 1, 10**400, 0.1, -0.0, 5e-324, 1e308,
    math.nan, math.inf, -math.inf, "", " ", "a", "\x00", "a\x00b", "\ud800", "\u202e", "\r\n",
    "NaN",
    "1e999", "0x10", "=1+1", "<b>", "'; drop table runs; --", "../../etc/passwd", "${x}", "{{x}}",
    "\N{PILE OF POO}", "a" * LONG, [], {}, [[]], [None], {"": None}, {"kind": None}, {"kind": []},
    {"kind": "\x00"}, {"kind": "unrolled"}, {"\ud800": 1}, {"a.b": {}}, [0] * LONG, [{}] * LONG,
]  # fmt: skip
"""In the place of any field."""

TEXTS = [
    "\x00", "\ufeff", "\ufeff\ufeffname: a", "\x85", "name: \x07",
    'name: "\\ud800"', '"\\ud800": 1',
    '"\\0": 1', "%YAML 9.9\n---\na: 1", "a: 1\n---\nb: 2", "---", "...",
    "? [a]\n: 1", "? {a: b}\n: 1",
    "~: 1", "1: 2", "a: &b [x]\nc: *b", "<<: [1]", "<<: {name: x}", "<<: {<<: {<<: {a: 1}}}",
    "a: !!bool x", "!!null x", "name: !!python/object/apply:os.system [ls]", "a: !!binary '*'",
    "name: !!set {a, b}", "name: !x y", "name: 2001-99-99", "name: 2001-01-01", "seeds: [1:1:1]",
    "name: 0x" + "f" * LONG, "seeds: [0b" + "1" * 20_000 + "]", "name: 1" + ":0" * 20_000,
    "name: " + "1" * LONG, "name: " + "1" * LONG + ".0", "outer: {steps: 1e400}",
    "[" * 60_000, "{" * 60_000, "{a: " * 15_000, "- " * 30_000, "? " * 30_000, "?" + "\n?" * 30_000,
    "{" + "a," * 31_000 + "}", "[" + "1," * 31_000 + "]", "seeds: [" + "{}," * 20_000 + "]",
    "estimators: [" + "{}," * 20_000 + "]", "sweep: {outer.steps: [" + "1," * 31_000 + "]}",
    "sweep: {" + ",".join(f"a{i}: [1]" for i in range(5_000)) + "}", '"' + "\\x41" * 15_000 + '"',
    " " * 63_999 + "a", "\n" * 64_000, "#" * 64_000, "a" + ":" * 60_000, "|\n" + " a\n" * 15_000,
    "\n".join(f"a{i}: 1" for i in range(7_000)),
    "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: &d [*c, *c]\ne: [*d, *d]",
    "'", '"', "a: 'b", "a:\t1", "@", "`", "*", "&", "!", "a" * 64_001, "\r\r\r", "\u2028",
]  # fmt: skip
"""In the place of a whole spec: bombs, and what only looks like YAML."""

any_text = st.one_of(
    st.sampled_from(TEXTS),
    st.text(max_size=200),
    st.text(alphabet="[]{}:,-?&*!|>'\"%@#\n\t 0aé\x00\ud800", max_size=80),
)
any_value = st.sampled_from(VALUES) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@st.composite
def specs_of_the_schema(draw: st.DrawFn) -> dict[str, Any]:
    """A document that the JSON schema describes; rules over several fields may refuse it."""
    return _value(draw, SCHEMA)


@st.composite
def almost_specs(draw: st.DrawFn) -> Any:
    """A preset's document in which a few places hold what does not belong there."""
    document = copy.deepcopy(draw(st.sampled_from(PRESET_DOCUMENTS)))
    for _ in range(draw(st.integers(1, 3))):
        parent, key = draw(st.sampled_from(places(document)))
        if draw(st.booleans()):
            parent[key] = copy.deepcopy(draw(any_value))
        elif isinstance(parent, list):
            parent.insert(key, parent[key])
        else:
            parent[draw(st.sampled_from(["", "kind", "x", "\x00", "\ud800"]))] = parent.pop(key)
    return document


def places(document: Any) -> list[tuple[Any, Any]]:
    """Every place of `document` that can be written: its parent, and the key or position there."""
    if isinstance(document, dict):
        keys: list[Any] = list(document)
    else:
        keys = list(range(len(document))) if isinstance(document, list) else []
    return [(document, key) for key in keys] + [
        place for key in keys for place in places(document[key])
    ]


def _value(draw: st.DrawFn, schema: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _value(draw, SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")])
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return _value(draw, draw(st.sampled_from(schema[choice])))
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    match schema.get("type"):
        case "object":
            known = schema.get("properties", {})
            return {
                name: _value(draw, inner)
                for name, inner in known.items()
                if name == "kind" or draw(st.booleans())
            }
        case "array":
            least, most = schema.get("minItems", 0), min(schema.get("maxItems", 3), 3)
            count = draw(st.integers(least, max(least, most)))
            return [_value(draw, schema.get("items", {})) for _ in range(count)]
        case "integer":
            return draw(st.integers(_least(schema, 0), _most(schema, 2**40)))
        case "number":
            return draw(st.floats(_least(schema, -1e12), _most(schema, 1e12)))
        case "boolean":
            return draw(st.booleans())
        case "null":
            return None
        case "string":
            return draw(st.text(max_size=10))
    return draw(any_value)


def _least(schema: dict[str, Any], usual: float) -> Any:
    return schema.get("minimum", schema.get("exclusiveMinimum", usual))


def _most(schema: dict[str, Any], usual: float) -> Any:
    return max(schema.get("maximum", schema.get("exclusiveMaximum", usual)), _least(schema, usual))
