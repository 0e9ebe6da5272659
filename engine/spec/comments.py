"""Comments of a spec's YAML: read from one text, and written at the same fields of another.

A comment on a line of its own belongs to the field below it, one at the end of a line to the field
that begins on that line; what stands apart at the head or at the foot of the text stays there. Only
the events of the parser are read: no object is made, and the bounds of a spec hold here too.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import yaml

from engine.spec.document import DEEPEST, MOST_CHARACTERS, MOST_VALUES

Path = tuple[str | int, ...]
"""Names of fields, and places in lists."""

_PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LINE_END = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True)
class Comments:
    """Each as it was written, from its # on."""

    head: tuple[str, ...] = ()
    above: dict[Path, list[str]] = field(default_factory=dict)
    beside: dict[Path, list[str]] = field(default_factory=dict)
    foot: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.head or self.above or self.beside or self.foot)

    def moved(self, to: Callable[[Path], Path | None]) -> Comments:
        """With every field at the place that `to` gives for it; with None its comments go."""
        return Comments(self.head, _moved(self.above, to), _moved(self.beside, to), self.foot)


@dataclass
class _Layout:
    """Where fields and texts stand; of a text that is broken, until there."""

    fields: list[tuple[int, int, Path]] = field(default_factory=list)
    """Index and line at which each begins, in order; one around another before it."""
    texts: list[tuple[int, int]] = field(default_factory=list)
    """Index of the first character of each scalar, and of the one behind its last: there a # is no
    comment."""
    open_lines: set[int] = field(default_factory=set)
    """Lines that end within a scalar."""
    end: int = 0
    is_whole: bool = False


def comments_of(text: str) -> Comments:
    """The comments of `text`; of a text that is no YAML, those before the place where it breaks."""
    if "#" not in text or len(text) > MOST_CHARACTERS:
        return Comments()
    layout = _layout(text)
    head: list[str] = []
    foot: list[str] = []
    above: dict[Path, list[str]] = {}
    beside: dict[Path, list[str]] = {}
    starts = [index for index, _, _ in layout.fields]
    waiting: list[str] = []
    """Of the head: not yet parted from the first field by an empty line."""
    for line, start, content in _lines(text):
        if start > layout.end and not layout.is_whole:
            break
        at = _comment_in(content, start, layout.texts)
        if at is None:
            if not content.strip() and not bisect_right(starts, start):
                head += waiting
                waiting = []
            continue
        comment, position = content[at:].rstrip(), bisect_right(starts, start + at)
        if content[:at].strip():
            path = _beside(layout, position, line)
            (beside.setdefault(path, []) if path else head).append(comment)
        elif position == len(starts):
            foot.append(comment)
        elif position == 0:
            waiting.append(comment)
        else:
            above.setdefault(layout.fields[position][2], []).append(comment)
    if waiting:
        first = layout.fields[0][2]
        above[first] = [*waiting, *above.get(first, [])]
    return Comments(tuple(head), above, beside, tuple(foot))


def commented(text: str, comments: Comments) -> str:
    """`text`, a spec as YAML, with `comments` at its fields; those of fields that it lacks go."""
    if not comments:
        return text
    layout = _layout(text)
    before: dict[int, list[str]] = {}
    behind: dict[int, list[str]] = {}
    for _, line, path in layout.fields:
        own = [*comments.above.get(path, [])]
        if line in layout.open_lines:
            own += comments.beside.get(path, [])
        else:
            behind.setdefault(line, []).extend(comments.beside.get(path, []))
        before.setdefault(line, []).extend(own)
    written = [*comments.head, ""] if comments.head else []
    for line, _, content in _lines(text):
        indent = content[: len(content) - len(content.lstrip(" "))]
        written += [f"{indent}{comment}" for comment in before.get(line, [])]
        written.append("  ".join([content, *behind.get(line, [])]))
    while written and not written[-1]:
        written.pop()
    whole = "\n".join([*written, *comments.foot, ""])
    return whole if len(whole) <= MOST_CHARACTERS else text


def _moved(
    found: dict[Path, list[str]], to: Callable[[Path], Path | None]
) -> dict[Path, list[str]]:
    places = ((to(path), comments) for path, comments in found.items())
    return {path: comments for path, comments in places if path is not None}


def _lines(text: str) -> Iterator[tuple[int, int, str]]:
    """Number from 0, index of the first character, and content of each line."""
    number = start = 0
    for end in _LINE_END.finditer(text):
        yield number, start, text[start : end.start()]
        number, start = number + 1, end.end()
    yield number, start, text[start:]


def _comment_in(content: str, start: int, texts: list[tuple[int, int]]) -> int | None:
    """Where the comment of a line that begins at index `start` begins in it."""
    at = content.find("#")
    while at >= 0:
        before = bisect_right(texts, (start + at, MOST_CHARACTERS)) - 1
        if before < 0 or start + at >= texts[before][1]:
            return at
        at = content.find("#", at + 1)
    return None


def _beside(layout: _Layout, position: int, line: int) -> Path | None:
    """The outermost field that begins on `line`, before the field at `position`; the last one
    before the line where none does; None where there is none at all."""
    here = position
    while here and layout.fields[here - 1][1] == line:
        here -= 1
    if here == position:
        here -= 1
    return layout.fields[here][2] if here >= 0 else None


def _layout(text: str) -> _Layout:
    layout = _Layout()
    try:
        _read(text, layout)
        layout.is_whole = True
    except (yaml.YAMLError, ValueError):
        pass
    return layout


def _read(text: str, layout: _Layout) -> None:
    """Fill `layout` from the events of `text`; raises `ValueError` where that goes beyond what a
    spec may be."""
    # One entry for each collection around: its path, the next place of a list (None in a mapping),
    # and in a mapping the name of the field whose value comes next.
    around: list[tuple[Path, int | None, str | None]] = []
    count = 0
    for event in yaml.parse(text, Loader=_PARSER):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ValueError("aliases and anchors are not allowed in a spec")
        if isinstance(event, yaml.CollectionEndEvent):
            around.pop()
        if isinstance(event, yaml.CollectionEndEvent) or not isinstance(event, yaml.NodeEvent):
            layout.end = event.end_mark.index
            continue
        count += 1
        if count > MOST_VALUES or len(around) >= DEEPEST:
            raise ValueError("a spec has fewer names and values, and is less deep")
        path = _place(event, around, layout)
        if isinstance(event, yaml.ScalarEvent):
            _note_text(event, layout)
        else:
            is_list = isinstance(event, yaml.SequenceStartEvent)
            around.append((path, 0 if is_list else None, None))
        layout.end = event.end_mark.index


def _place(
    event: yaml.NodeEvent, around: list[tuple[Path, int | None, str | None]], layout: _Layout
) -> Path:
    """The path of the node that begins with `event`; a field or an item begins there."""
    if not around:
        return ()
    outer, place, name = around[-1]
    if place is None and name is not None:
        around[-1] = (outer, None, None)
        return (*outer, name)
    if place is None:
        if not isinstance(event, yaml.ScalarEvent):
            raise ValueError("a field's name is a word, not a list or a mapping")
        around[-1] = (outer, None, event.value)
        path: Path = (*outer, event.value)
    else:
        around[-1] = (outer, place + 1, None)
        path = (*outer, place)
    layout.fields.append((event.start_mark.index, event.start_mark.line, path))
    return path


def _note_text(event: yaml.ScalarEvent, layout: _Layout) -> None:
    first, last = event.start_mark, event.end_mark
    layout.open_lines.update(range(first.line, last.line))
    layout.texts.append((first.index, last.index))
