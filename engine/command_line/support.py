"""`python -m engine support`: the support matrix, as one table for inner tasks that are alike.

`docs/support-matrix.md` is what it prints.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import groupby

from engine.spec.installed import ESTIMATORS, INNER_TASKS, META_PARAMETERS
from engine.support import Support, support_matrix

HEAD = """# Which estimators learn what

One table for inner tasks that are alike, with a row for each meta-parameter and a column for each
estimator and search: ✓ where they work together, else the number of the reason, which stands at
the end. Each answer is that of the spec's own rules to a small experiment, and every ✓ is tested:
the estimate is what it claims to be, in double precision (`tests/engine/test_every_pair.py`).
Sizes in the reasons are those of the small experiments.
`python -m engine support` prints this page, `--json` the same as data, installed packages included.
"""


def print_support(*, as_json: bool) -> int:
    """Print the support matrix, as Markdown or as one JSON document; always 0."""
    if as_json:
        rows = [
            {
                "inner_task": cell.inner_task,
                "meta_parameter": cell.meta_parameter,
                "estimator": cell.estimator,
                "allowed": cell.allowed,
                "reasons": cell.reasons,
            }
            for cell in support_matrix()
        ]
        print(json.dumps({"support": rows}, ensure_ascii=False))
    else:
        print(support_page(), end="")
    return 0


def support_page() -> str:
    """The support matrix in Markdown."""
    alike: dict[tuple, list[str]] = {}
    tables: dict[tuple, list[Support]] = {}
    for task, cells in groupby(support_matrix(), key=lambda cell: cell.inner_task):
        tables_of_task = list(cells)
        answers = tuple(_without_sizes(" ".join(cell.reasons)) for cell in tables_of_task)
        alike.setdefault(answers, []).append(task)
        tables.setdefault(answers, tables_of_task)
    reasons: dict[str, str] = {}
    parts = [HEAD]
    for answers, tasks in alike.items():
        titles = [f"{INNER_TASKS[task].title} (`{task}`)" for task in tasks]
        parts += ["## " + "; ".join(titles), "\n".join(_table(tables[answers], reasons))]
        if never := _never(tables[answers]):
            parts.append(f"No place here: {', '.join(f'`{kind}`' for kind in never)}.")
    parts += ["## Reasons", "\n".join(_numbered(reasons))]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _table(cells: list[Support], reasons: dict[str, str]) -> Iterator[str]:
    """The lines of a table; a reason that is new is added to `reasons`."""
    titles = [model.title for model in ESTIMATORS.values()]
    yield f"| Meta-parameter | {' | '.join(titles)} |"
    yield f"|---|{':-:|' * len(titles)}"
    for kind, row in groupby(cells, key=lambda cell: cell.meta_parameter):
        found = list(row)
        if any(cell.whole_row for cell in found):
            continue
        marks = [_mark(cell, reasons) for cell in found]
        yield f"| {META_PARAMETERS[kind].title} (`{kind}`) | {' | '.join(marks)} |"


def _mark(cell: Support, reasons: dict[str, str]) -> str:
    """✓, or the numbers of the reasons: rows and sizes share one."""
    numbers = []
    for reason in cell.reasons:
        said = reason.replace(repr(cell.meta_parameter), "it")
        key = _without_sizes(said)
        reasons.setdefault(key, said)
        numbers.append(f"[^{list(reasons).index(key) + 1}]")
    return "".join(numbers) or "✓"


def _numbered(reasons: dict[str, str]) -> Iterator[str]:
    for number, reason in enumerate(reasons.values(), start=1):
        yield f"[^{number}]: {reason[0].upper()}{reason[1:]}."


def _without_sizes(reason: str) -> str:
    return re.sub(r"\d[\d,]*", "n", reason)


def _never(cells: list[Support]) -> list[str]:
    """Meta-parameters that the inner task has no place for."""
    return [
        kind
        for kind, row in groupby(cells, key=lambda cell: cell.meta_parameter)
        if any(cell.whole_row for cell in row)
    ]
