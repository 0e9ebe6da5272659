"""From a field of a form to its place in the help."""

from __future__ import annotations

from collections.abc import Iterator

from webapp.experiments.form.nodes import Cards, Leaf, Node, Union


def places(nodes: list[Node], prefix: str = "") -> Iterator[tuple[Node, str]]:
    """Every control and every chosen kind below `nodes` with its place: in the place of a list's
    index stands the item's kind."""
    for node in nodes:
        place = f"{prefix}{node.path.rpartition('.')[2]}"
        if isinstance(node, Leaf):
            yield node, place
        elif isinstance(node, Cards):
            for item in node.items:
                yield from _of_kind(item, place)
        elif isinstance(node, Union):
            yield from _of_kind(node, place)
        else:
            yield from places(node.children, f"{place}.")


def _of_kind(node: Union, place: str) -> Iterator[tuple[Node, str]]:
    place = f"{place}.{node.kind}"
    yield node, place
    yield from places(node.parts, f"{place}.")
