"""`python -m engine advice`: which estimator to take, and why not another."""

from __future__ import annotations

from pathlib import Path

from engine.advice.advice import Advice, advise
from engine.plain import to_json
from engine.spec import read_file


def print_advice(spec_path: Path, *, as_json: bool) -> int:
    """Print the advice as text, or as one JSON document; always 0.

    Raises `SpecError` for a bad spec."""
    advice = advise(read_file(spec_path))
    print(to_json(advice.model_dump(mode="json")) if as_json else _text(advice))
    return 0


def _text(advice: Advice) -> str:
    lines = [advice.summary, ""]
    width = max(len(verdict.label) for verdict in advice.verdicts)
    for verdict in advice.verdicts:
        asked = "*" if verdict.asked else " "
        lines.append(f"{verdict.rank:>3}{asked} {verdict.label:{width}}  {verdict.effect}")
        for reason in verdict.reasons:
            lines += [f"      {reason.sentence}", f"        ({reason.rule}; {reason.source})"]
        if not verdict.reasons and verdict.why_not:
            lines.append(f"      {verdict.why_not}")
    return "\n".join([*lines, "", "* named by the spec"])
