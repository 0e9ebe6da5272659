"""From a plain document, valid or not, to the parts of the form.

A document that came from a form may hold anything where a value belongs; what cannot be shown in
its control is shown as it was written, so that its error can be read beside it.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from annotated_types import MaxLen, MinLen
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from engine.spec import Experiment, FieldError
from engine.support import obstacles
from webapp.experiments.form import shapes, sweep_text
from webapp.experiments.form.gists import GISTS
from webapp.experiments.form.nodes import (
    Cards,
    Choice,
    Group,
    Leaf,
    Node,
    Sweep,
    SweepRow,
    Union,
    shown,
)
from webapp.experiments.form.shapes import Shape, label_of, shapes_of
from webapp.help.field_places import places

if TYPE_CHECKING:
    from webapp.experiments.preflights import Verdict

MOST_SWEEP_ROWS = 4
STEPS = [
    ("inner-task", "Inner task", ["inner_task", "inner", "objective"]),
    ("meta-parameters", "Meta-parameters", ["meta_parameters", "outer"]),
    ("estimators", "Estimators", ["estimators"]),
    ("measure", "Measure", ["probes"]),
    ("seeds-and-sweep", "Seeds and sweep", ["seeds", "sweep"]),
    ("budget", "Budget", ["budget", "device", "precision", "threads"]),
]
FOLDED = {"measure", "budget"}
"""Steps that most leave as they are."""


@dataclass
class Step:
    """One section of the form and one entry of the list on its left."""

    slug: str
    title: str
    parts: list[Node]
    gist: str = ""
    """What it says, in a few words, for who has folded it."""

    @property
    def is_open(self) -> bool:
        return self.slug not in FOLDED or self.error_count > 0

    @property
    def leaves(self) -> list[Leaf]:
        return [part for part in self.parts if isinstance(part, Leaf)]

    @property
    def error_count(self) -> int:
        return sum(len(node.errors) for part in self.parts for node in part.walk())

    @property
    def pickers(self) -> list[Cards | Union]:
        """The parts at which a kind is chosen."""
        every = [node for part in self.parts for node in part.walk()]
        return [node for node in every if isinstance(node, Cards | Union)]


@dataclass
class Form:
    name: Leaf
    steps: list[Step]
    errors: list[tuple[FieldError, str]]
    """Every error with the id of the part that shows it."""

    def nodes(self, without: Step | None = None) -> Iterator[Node]:
        """Every part, but those of the step `without`."""
        yield self.name
        for step in self.steps:
            for part in step.parts if step is not without else []:
                yield from part.walk()

    @property
    def choices_digest(self) -> str:
        """Of what there is to choose from, and what is chosen, at every part that has a kind."""
        pickers = [picker.choosing for step in self.steps for picker in step.pickers]
        return hashlib.sha256(repr(pickers).encode()).hexdigest()[:16]

    def show_verdicts(self, verdicts: Iterable[Verdict]) -> None:
        """Give every estimator's card what preflight says of it."""
        cards = next(n for n in self.nodes() if isinstance(n, Cards) and n.path == "estimators")
        for item, verdict in zip(cards.items, verdicts, strict=False):
            item.verdict = verdict

    def step(self, slug: str) -> Step:
        return next(step for step in self.steps if step.slug == slug)


def build_form(document: Any, errors: Iterable[FieldError] = (), origin: Any = None) -> Form:
    """The form that shows `document`, with each of `errors` at its field.

    What differs from `origin`, a document that is an experiment, can be put back.
    """
    document = document if isinstance(document, dict) else {}
    nodes = {node.path: node for node in _fields(Experiment, document, origin or {}, "")}
    steps = [Step(slug, title, [nodes.pop(name) for name in names]) for slug, title, names in STEPS]
    name = nodes.pop("name")
    assert isinstance(name, Leaf)
    assert not nodes, f"the builder has no step for {', '.join(nodes)}"
    form = Form(name, steps, [])
    for node, place in places([name, *(part for step in steps for part in step.parts)]):
        node.help_at = place
    _offer_targets(form)
    _show_obstacles(form, document)
    form.errors = [(error, _place(error, form)) for error in errors]
    by_path = {node.path: node for node in form.nodes()}
    for step in form.steps:
        step.gist = GISTS[step.slug](by_path)
    return form


def step_of(path: str) -> str:
    """The slug of the step that shows the field at `path`."""
    first = path.split(".")[0]
    return next((slug for slug, _, names in STEPS if first in names), STEPS[0][0])


def _fields(model: type[BaseModel], document: Any, origin: Any, prefix: str) -> list[Node]:
    document = document if isinstance(document, dict) else {}
    return [
        _node(model.model_fields[name], shape, document, origin, f"{prefix}{name}")
        for name, shape in shapes_of(model).items()
        if name != "kind"
    ]


def _node(
    info: FieldInfo, shape: Shape, document: dict[str, Any], origin: dict[str, Any], path: str
) -> Node:
    name = path.rpartition(".")[2]
    default = info.get_default(call_default_factory=True)
    value = document.get(name, _plain(default))
    original = origin.get(name, _plain(default))
    text = info.description or ""
    if shape.control == "group":
        parts = _fields(shape.models[0], value, original, f"{path}.")
        return Group(path, label_of(name), text, parts=parts)
    if shape.control == "union":
        return _union(shape.models, value, original, path, label_of(name), text)
    if shape.control == "union_list":
        return _cards(info, shape, value, original, path, text)
    if shape.control == "sweep":
        return _sweep(value, path, text)
    return Leaf(
        path,
        label_of(name),
        text,
        control=shape.control,
        value=shown(value),
        default=shown(default),
        original=shown(original),
        is_rare=name in shapes.RARE,
        unit=(info.json_schema_extra or {}).get("unit", ""),
        allowed=shapes.allowed_range(info),
        placeholder=_meaning_of_empty(text) if shape.optional else "",
        options=[(choice, shapes.words(choice)) for choice in shape.choices],
    )


def _meaning_of_empty(description: str) -> str:
    meaning = re.search(r"nothing means ([^;.]+)", description)
    return meaning[1] if meaning else "no limit"


def _union(
    models: tuple[type[BaseModel], ...], value: Any, origin: Any, path: str, label: str, text: str
) -> Union:
    """A kind that the origin did not have there is compared with its defaults."""
    value = value if isinstance(value, dict) else {}
    model = shapes.model_of_kind(models, value.get("kind")) or models[0]
    is_same = isinstance(origin, dict) and origin.get("kind") == shapes.kind_of(model)
    about, _, formula = (model.__doc__ or "").partition("\n\n")
    return Union(
        path,
        label,
        text,
        parts=_fields(model, value, origin if is_same else {}, f"{path}."),
        kind=shapes.kind_of(model),
        choices=_choices(models),
        about=about,
        formula=" ".join(formula.split()),
    )


def _cards(
    info: FieldInfo, shape: Shape, value: Any, origin: list[Any], path: str, text: str
) -> Cards:
    value = value if isinstance(value, list) else []
    originals = dict(enumerate(origin))
    kinds = Counter(item.get("kind") for item in value if isinstance(item, dict))
    most = next((item.max_length for item in info.metadata if isinstance(item, MaxLen)), None)
    fewest = next((item.min_length for item in info.metadata if isinstance(item, MinLen)), 0)
    items = []
    for index, item in enumerate(value):
        title, place = _title(shape.models, item), f"{path}.{index}"
        card = _union(shape.models, item, originals.get(index), place, title, "")
        if any(card.kind == before.kind for before in items):
            card.about = card.formula = ""  # The first of its kind has said it.
        items.append(card)
    return Cards(
        path,
        label_of(path),
        text,
        items=items,
        choices=[replace(choice, count=kinds[choice.kind]) for choice in _choices(shape.models)],
        can_add=most is None or len(value) < most,
        can_remove=len(value) > fewest,
    )


def _choices(models: tuple[type[BaseModel], ...]) -> list[Choice]:
    """What can be chosen, group after group."""
    choices = [
        Choice(
            shapes.kind_of(model),
            shapes.title_of(model),
            shapes.group_of(model),
            (model.__doc__ or "").partition("\n")[0],
        )
        for model in models
    ]
    groups = [*shapes.SLOTS, *dict.fromkeys(choice.group for choice in choices)]
    return sorted(choices, key=lambda choice: groups.index(choice.group))


def _show_obstacles(form: Form, document: dict[str, Any]) -> None:
    """Give every choice the reason why it cannot work with the rest of the document."""
    for node in form.nodes():
        if not isinstance(node, Cards | Union):
            continue
        others = [c for c in node.choices if isinstance(node, Cards) or c.kind != node.kind]
        found = obstacles(document, node.path, [choice.kind for choice in others])
        for choice in others:
            choice.obstacle = found.get(choice.kind, "")


def _title(models: tuple[type[BaseModel], ...], item: Any) -> str:
    """The label that the item has in figures, or its model's title while it is not valid."""
    kind = item.get("kind") if isinstance(item, dict) else None
    model = shapes.model_of_kind(models, kind) or models[0]
    try:
        return getattr(model.model_validate(item), "label", "") or shapes.title_of(model)
    except ValidationError:
        return shapes.title_of(model)


def _sweep(value: Any, path: str, text: str) -> Sweep:
    swept = value if isinstance(value, dict) else {}
    rows = [
        SweepRow(f"{path}.{index}", index=index, target=target, values=sweep_text.shown(values))
        for index, (target, values) in enumerate(swept.items())
    ]
    if len(rows) < MOST_SWEEP_ROWS:
        rows.append(SweepRow(f"{path}.{len(rows)}", index=len(rows)))
    return Sweep(path, label_of(path), text, rows=rows)


def _offer_targets(form: Form) -> None:
    """Every single field can be swept; those of a list's item are listed under its label."""
    sweep = next(node for node in form.nodes() if isinstance(node, Sweep))
    row_of = {row.target: row.index for row in sweep.rows if row.target}
    groups: dict[str, list[tuple[str, str]]] = {}
    for step in form.steps:
        for node in (node for part in step.parts for node in part.walk()):
            if isinstance(node, Leaf) and node.path != "seeds":
                group, name = _name_of_target(node, step)
                groups.setdefault(group, []).append((node.path, name))
                node.varied_at = row_of.get(node.path)
    offered = {path for targets in groups.values() for path, _ in targets}
    for row in sweep.rows:
        if row.target not in {"", *offered}:
            groups.setdefault("Not a field of this spec", []).append((row.target, row.target))
    sweep.targets = list(groups.items())


def _name_of_target(leaf: Leaf, step: Step) -> tuple[str, str]:
    """The heading under which a field is offered to a sweep, and its name there."""
    for part in step.parts:
        for index, item in enumerate(part.items if isinstance(part, Cards) else []):
            if leaf.path.startswith(f"{item.path}."):
                return f"{step.title}, {index + 1}: {item.label}", leaf.path.split(".", 2)[2]
    return step.title, leaf.path


def _place(error: FieldError, form: Form) -> str:
    """Show `error` at its part, or at the closest part around it; returns that part's id."""
    path = error.path
    while True:
        for node in reversed(list(form.nodes())):
            if node.takes(path):
                message = error.message if path == error.path else f"{error.path}: {error.message}"
                node.errors.append(message)
                return node.id
        if not path:
            return f"step-{step_of(error.path)}"
        path = path.rpartition(".")[0]


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return [_plain(item) for item in value] if isinstance(value, list) else value
