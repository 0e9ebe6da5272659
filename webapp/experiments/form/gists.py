"""What each step of the form says, in a few words: read where the step is folded."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from webapp.experiments.form.nodes import Cards, Leaf, Node, Sweep, Union

MOST_NAMED = 3
Nodes = Mapping[str, Node]


def _inner_task(nodes: Nodes) -> str:
    task, optimizer = nodes["inner_task"], nodes["inner.optimizer"]
    assert isinstance(task, Union)
    assert isinstance(optimizer, Union)
    return f"{task.title} · {_value(nodes, 'inner.steps')} steps of {optimizer.title}"


def _meta_parameters(nodes: Nodes) -> str:
    return f"{_items(nodes['meta_parameters'])} · {_value(nodes, 'outer.steps')} outer steps"


def _estimators(nodes: Nodes) -> str:
    return _items(nodes["estimators"])


def _measure(nodes: Nodes) -> str:
    parts = [f"every {_value(nodes, 'probes.every')} outer steps"]
    if _value(nodes, "probes.oracle") == "true":
        parts.append("exact oracle")
    return " · ".join([*parts, f"{_value(nodes, 'probes.draws')} draws"])


def _seeds_and_sweep(nodes: Nodes) -> str:
    count = len([seed for seed in _value(nodes, "seeds").split(",") if seed.strip()])
    sweep = nodes["sweep"]
    assert isinstance(sweep, Sweep)
    swept = [row.target for row in sweep.rows if row.target]
    seeds = f"{count} seed{'' if count == 1 else 's'}"
    return " · ".join([seeds, f"varies {', '.join(swept)}" if swept else "no sweep"])


def _budget(nodes: Nodes) -> str:
    seconds, size = _value(nodes, "budget.seconds"), _value(nodes, "budget.bytes")
    limits = [f"{seconds} s" if seconds else "", f"{size} bytes" if size else ""]
    limit = ", ".join(part for part in limits if part) or "no limit"
    return f"{limit} · device {_value(nodes, 'device')} · {_value(nodes, 'precision')}"


GISTS: dict[str, Callable[[Nodes], str]] = {
    "inner-task": _inner_task,
    "meta-parameters": _meta_parameters,
    "estimators": _estimators,
    "measure": _measure,
    "seeds-and-sweep": _seeds_and_sweep,
    "budget": _budget,
}


def _value(nodes: Nodes, path: str) -> str:
    node = nodes[path]
    assert isinstance(node, Leaf)
    return node.value


def _items(node: Node) -> str:
    assert isinstance(node, Cards)
    labels = list(dict.fromkeys(item.label for item in node.items))
    rest = len(labels) - MOST_NAMED
    return ", ".join(labels[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")
