"""From a field of a form to its place in the help."""

from __future__ import annotations

from collections.abc import Iterator

from webapp.experiments.form.nodes import Cards, Leaf, Node, Union


def places(nodes: list[Node], prefix: str = "") -> Iterator[tuple[Leaf, str]]:
    """Every control below `nodes` with its place: a list's index gives way to the item's kind."""
    for node in nodes:
        place = f"{prefix}{node.path.rpartition('.')[2]}"
        if isinstance(node, Leaf):
            yield node, place
        elif isinstance(node, Cards):
            for item in node.items:
                yield from places(item.parts, f"{place}.{item.kind}.")
        elif isinstance(node, Union):
            yield from places(node.parts, f"{place}.{node.kind}.")
        else:
            yield from places(node.children, f"{place}.")
