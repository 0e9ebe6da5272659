"""What was proved, with its figures: a table on the screen and a file."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent.parent.parent / "docs"
RESULTS, PAGE = DOCS / "results" / "faults.json", DOCS / "faults.md"
BEGIN, END = "<!-- figures: written by make faults -->", "<!-- end of figures -->"

Figure = float | int | str


@dataclass
class Proof:
    """A claim about the lab, whether it held, and what was measured; times in seconds."""

    name: str
    claim: str
    held: bool = True
    figures: dict[str, Figure] = field(default_factory=dict)
    took: float = 0.0
    why_not: str = ""


def shown(figure: Figure) -> str:
    return f"{figure:.1f} s" if isinstance(figure, float) else str(figure)


def table(proofs: Iterable[Proof]) -> str:
    lines = []
    for proof in proofs:
        lines.append(f"{'holds' if proof.held else 'FAILS'}  {proof.name}  ({proof.took:.0f} s)")
        lines.append(f"       {proof.claim}")
        lines += [f"         {name}: {shown(value)}" for name, value in proof.figures.items()]
        if proof.why_not:
            lines.append(f"       {proof.why_not}")
    return "\n".join(lines)


def write(proofs: list[Proof], seed: int) -> None:
    """The file of the results, and the figures in the page that tells of them."""
    from engine.version import code_version

    load, _, _ = os.getloadavg()
    document = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "code_version": code_version(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "load": round(load, 1),
        "seed": seed,
        "proofs": [asdict(proof) for proof in proofs],
    }
    RESULTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    page = f"{before}{BEGIN}\n{_as_markdown(document, proofs)}\n{END}{after}"
    PAGE.write_text(page, encoding="utf-8")


def _as_markdown(document: dict[str, Any], proofs: list[Proof]) -> str:
    lines = [
        f"Measured {document['date'][:10]} on {document['machine']} at a load of "
        f"{document['load']}, code {document['code_version']}, seed {document['seed']}.",
        "",
        "| fault | what holds | measured |",
        "|---|---|---|",
    ]
    for proof in proofs:
        figures = "<br>".join(f"{name}: {shown(value)}" for name, value in proof.figures.items())
        claim = proof.claim if proof.held else f"**Does not hold.** {proof.why_not}"
        lines.append(f"| {proof.name.replace('-', ' ')} | {claim} | {figures} |")
    return "\n".join(lines)
