"""The parts of a form, ready for the templates: what each shows, never where it came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from webapp.experiments.form.vary import VARIED

if TYPE_CHECKING:
    from webapp.experiments.preflights import Verdict


@dataclass
class Node:
    template: ClassVar[str]
    path: str
    label: str = ""
    help: str = ""
    errors: list[str] = field(default_factory=list)
    help_at: str = field(default="", init=False)
    """Its place in the help."""

    @property
    def id(self) -> str:
        """An HTML id: a path without its dots, which selectors would read as classes."""
        return identifier(self.path)

    @property
    def children(self) -> list[Node]:
        return []

    def walk(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            yield from child.walk()

    def takes(self, path: str) -> bool:
        """Whether an error at `path` is shown at this part."""
        return path == self.path


@dataclass
class Choice:
    """A kind that can be chosen."""

    kind: str
    title: str
    group: str = ""
    """The slot of f_LEARN, or the family, under which it is listed."""
    about: str = ""
    obstacle: str = ""
    """Why it cannot work with the rest of the document; empty where it can."""
    count: int = 0
    """How many of it a list has."""


@dataclass
class Leaf(Node):
    """One control with one value, always a string as an HTML control holds it."""

    template: ClassVar[str] = "experiments/form/leaf.html"
    control: str = "text"
    value: str = ""
    default: str = ""
    """The spec's own."""
    original: str = ""
    """The value in what the draft came from: the reset dot goes back to it."""
    unit: str = ""
    allowed: str = ""
    placeholder: str = ""
    options: list[tuple[str, str]] = field(default_factory=list)

    varied_at: int | None = None
    """Its row in the sweep, where it is varied."""
    is_rare: bool = False
    """Whether it is shown under "more" while nobody has touched it."""

    @property
    def is_changed(self) -> bool:
        return self.value != self.original

    @property
    def can_vary(self) -> bool:
        """Whether one click puts it into the sweep."""
        return self.control in VARIED

    @property
    def is_in_front(self) -> bool:
        return (
            not self.is_rare or self.value != self.default or self.is_changed or bool(self.errors)
        )

    @property
    def is_short_choice(self) -> bool:
        return len(self.options) <= 3 and sum(len(text) for _, text in self.options) <= 28

    def takes(self, path: str) -> bool:
        return path == self.path or path.startswith(f"{self.path}.")


@dataclass
class Group(Node):
    template: ClassVar[str] = "experiments/form/group.html"
    parts: list[Node] = field(default_factory=list)

    @property
    def children(self) -> list[Node]:
        return self.parts

    @property
    def front(self) -> list[Leaf]:
        return [part for part in self.parts if isinstance(part, Leaf) and part.is_in_front]

    @property
    def more(self) -> list[Leaf]:
        return [part for part in self.parts if isinstance(part, Leaf) and not part.is_in_front]

    @property
    def nested(self) -> list[Node]:
        return [part for part in self.parts if not isinstance(part, Leaf)]


@dataclass
class Union(Group):
    """A choice whose answer decides which fields follow."""

    template: ClassVar[str] = "experiments/form/union.html"
    kind: str = ""
    choices: list[Choice] = field(default_factory=list)
    about: str = ""
    """What the chosen member says of itself."""
    formula: str = ""
    verdict: Verdict | None = None
    """Of an estimator: what preflight says of it."""

    @property
    def title(self) -> str:
        """Of the chosen kind."""
        return next((choice.title for choice in self.choices if choice.kind == self.kind), "")

    @property
    def choosing(self) -> tuple[object, ...]:
        """All that its choices show."""
        return self.path, self.choices, self.kind

    @property
    def kind_path(self) -> str:
        return f"{self.path}.kind"

    def takes(self, path: str) -> bool:
        return path in (self.path, self.kind_path)


@dataclass
class ChoiceGroup:
    name: str
    taken: bool
    """Whether the list has one of them."""
    choices: list[Choice]


@dataclass
class Cards(Node):
    """A list of tagged choices: each a card that can be duplicated and removed."""

    template: ClassVar[str] = "experiments/form/cards.html"
    items: list[Union] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    """What can be added."""
    can_add: bool = True
    can_remove: bool = True

    @property
    def children(self) -> list[Node]:
        return list(self.items)

    @property
    def choosing(self) -> tuple[object, ...]:
        """All that its choices show."""
        return self.path, self.choices, [item.kind for item in self.items], self.can_add

    @property
    def groups(self) -> list[ChoiceGroup]:
        """The choices by group, in the order in which groups first appear."""
        names = list(dict.fromkeys(choice.group for choice in self.choices))
        group_of = {choice.kind: choice.group for choice in self.choices}
        taken = {group_of.get(item.kind) for item in self.items}
        return [
            ChoiceGroup(name, name in taken, [c for c in self.choices if c.group == name])
            for name in names
        ]

    @property
    def refused(self) -> list[Choice]:
        """What cannot be added, as things are."""
        return [choice for choice in self.choices if choice.obstacle]


@dataclass
class SweepRow(Node):
    template: ClassVar[str] = "experiments/form/sweep_row.html"
    index: int = 0
    target: str = ""
    values: str = ""

    def takes(self, path: str) -> bool:
        return bool(self.target) and (
            path == f"sweep.{self.target}" or path.startswith(f"sweep.{self.target}.")
        )


@dataclass
class Sweep(Node):
    template: ClassVar[str] = "experiments/form/sweep.html"
    rows: list[SweepRow] = field(default_factory=list)
    targets: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    """What can be swept, group by group: paths with their names."""

    @property
    def children(self) -> list[Node]:
        return list(self.rows)


def identifier(path: str) -> str:
    return "field-" + "".join(c if c.isalnum() or c == "_" else "-" for c in path)


def shown(value: Any) -> str:
    """A value of the spec as the text of a control; `parse.typed` is its inverse."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    if isinstance(value, list):
        return ", ".join(shown(item) for item in value)
    return str(value)
