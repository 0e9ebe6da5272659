"""What was proved, with its figures: a table on the screen and a file."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent.parent.parent / "docs" / "results" / "faults.json"

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


def table(proofs: Iterable[Proof]) -> str:
    lines = []
    for proof in proofs:
        lines.append(f"{'holds' if proof.held else 'FAILS'}  {proof.name}  ({proof.took:.0f} s)")
        lines.append(f"       {proof.claim}")
        for name, value in proof.figures.items():
            shown = f"{value:.2f}" if isinstance(value, float) else value
            lines.append(f"         {name}: {shown}")
        if proof.why_not:
            lines.append(f"       {proof.why_not}")
    return "\n".join(lines)


def write(proofs: Iterable[Proof], seed: int) -> None:
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
