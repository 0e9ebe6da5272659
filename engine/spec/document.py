"""Reading a spec from YAML or JSON text: data only, bounded in size and depth, no surprises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from engine.spec.errors import FieldError, SpecError
from engine.spec.experiment import Experiment
from engine.spec.validation import validate

MOST_CHARACTERS = 64_000
DEEPEST = 12
MOST_VALUES = 10_000
"""Names of fields count too; 64,000 characters could hold three times as many, read in seconds."""
LONGEST_NUMBER = 4_096
"""Bits. Python refuses to write longer ones in decimal, which 0xf… and 1:0:0… make from few
characters."""


class _Loader(yaml.SafeLoader):
    """YAML without aliases and repeated keys, and with numbers such as 8e9 read as numbers."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise _refusal("aliases (*name) are not allowed in a spec", self.peek_event())
        event = self.peek_event()
        if getattr(event, "anchor", None):
            raise _refusal("anchors (&name) are not allowed in a spec", event)
        if getattr(event, "tag", None):
            raise _refusal("tags (!name) are not allowed in a spec", event)
        self.values = getattr(self, "values", 0) + 1
        if self.values > MOST_VALUES:
            raise _refusal(f"a spec has at most {MOST_VALUES:,} names and values", event)
        self.depth = getattr(self, "depth", 0) + 1
        if self.depth > DEEPEST:
            raise _refusal(f"nested deeper than {DEEPEST} levels", event)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refusal("a field's name is a word, not a list or a mapping", key)
            if key.value in seen:
                raise _refusal(f"the field {key.value!r} appears twice", key)
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: Any) -> int:
        number = super().construct_yaml_int(node)
        if number.bit_length() > LONGEST_NUMBER:
            raise _refusal(f"a whole number has at most {LONGEST_NUMBER:,} bits", node)
        return number


class _Dumper(yaml.SafeDumper):
    """YAML that quotes a text which the loader would read as a number, such as '8e9'."""


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)

for _reads_or_writes in (_Loader, _Dumper):
    _reads_or_writes.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
        list("-+0123456789."),
    )


def read_text(text: str) -> Experiment:
    """The experiment written in `text` (YAML, of which JSON is a part); `SpecError` if none."""
    return validate(parse_text(text))


def read_file(path: str | Path) -> Experiment:
    """The experiment in the file at `path`; `SpecError` where it cannot be read or is not one."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise SpecError([FieldError("", str(path), f"cannot read {path}: {reason}")]) from None
    return read_text(text)


def parse_text(text: str) -> Any:
    """The plain document in `text`, not yet validated."""
    if len(text) > MOST_CHARACTERS:
        message = f"a spec has at most {MOST_CHARACTERS:,} characters, this has {len(text):,}"
        raise SpecError([FieldError("", None, message)])
    try:
        # A SafeLoader with less, not more.
        return yaml.load(text, Loader=_Loader)  # noqa: S506  # nosec B506
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise SpecError([FieldError("", None, f"{where}{error.problem}")]) from None
    except (yaml.YAMLError, ValueError, TypeError, AttributeError) as error:
        raise SpecError([FieldError("", None, f"not readable as YAML: {error}")]) from None


def to_yaml(experiment: Experiment) -> str:
    """`experiment` as YAML, every field written out, in the order of the schema."""
    return _written(experiment.model_dump(mode="json"))


def stored_to_yaml(document: dict[str, Any]) -> str:
    """A spec that was valid when it was stored, as YAML with every field written out.

    One that is not valid any more, since the package of its inner task was removed, say, comes as
    it was stored.
    """
    try:
        return to_yaml(validate(document))
    except SpecError:
        return _written(document)


def _written(document: dict[str, Any]) -> str:
    ordered = _kind_first(document)
    return yaml.dump(ordered, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def _kind_first(value: Any) -> Any:
    if isinstance(value, dict):
        ordered = sorted(value.items(), key=lambda item: item[0] != "kind")
        return {name: _kind_first(item) for name, item in ordered}
    return [_kind_first(item) for item in value] if isinstance(value, list) else value


def _refusal(problem: str, event: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
