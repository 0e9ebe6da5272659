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
    circumstances: dict[str, Any] = field(default_factory=dict)


def shown(figure: Figure) -> str:
    return f"{figure:.2f} s" if isinstance(figure, float) else str(figure)


def table(proofs: Iterable[Proof]) -> str:
    lines = []
    for proof in proofs:
        lines.append(f"{'holds' if proof.held else 'FAILS'}  {proof.name}  ({proof.took:.0f} s)")
        lines.append(f"       {proof.claim}")
        lines += [f"         {name}: {shown(value)}" for name, value in proof.figures.items()]
        if proof.why_not:
            lines.append(f"       {proof.why_not}")
    return "\n".join(lines)


def circumstances(seed: int) -> dict[str, Any]:
    """When, where and with what a proof was tried."""
    from engine.version import code_version

    load, _, _ = os.getloadavg()
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "code_version": code_version(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "load": round(load, 1),
        "seed": seed,
    }


def write(proofs: Iterable[Proof], order: list[str]) -> None:
    """Put `proofs` in the place of earlier ones of their names: in the file of the results, and in
    the page that tells of them."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    by_name = {proof["name"]: proof for proof in kept} | {p.name: asdict(p) for p in proofs}
    known = [by_name[name] for name in order if name in by_name]
    RESULTS.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{_as_markdown(known)}\n{END}{after}", encoding="utf-8")


def _as_markdown(proofs: list[dict[str, Any]]) -> str:
    loads = [proof["circumstances"]["load"] for proof in proofs]
    newest = max((proof["circumstances"] for proof in proofs), key=lambda each: each["date"])
    lines = [
        f"Measured until {newest['date'][:10]} on {newest['machine']}, at loads of {min(loads)} to "
        f"{max(loads)}; the file says with which code and seed.",
        "",
        "| fault | what holds | measured |",
        "|---|---|---|",
    ]
    for proof in proofs:
        figures = [f"{name}: {shown(value)}" for name, value in proof["figures"].items()]
        claim = proof["claim"] if proof["held"] else f"**Does not hold.** {proof['why_not']}"
        lines.append(f"| {proof['name'].replace('-', ' ')} | {claim} | {'<br>'.join(figures)} |")
    return "\n".join(lines)
