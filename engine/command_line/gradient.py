"""`python -m engine gradient`: every estimator at the initial θ, against the oracle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.comparison import compare_gradients
from engine.plain import to_json
from engine.preflight import refuse_what_cannot_run
from engine.spec import read_file

WIDE = 28
"""Characters of a figure with its interval."""


def print_gradients(spec_path: Path, *, as_json: bool) -> int:
    """Print the comparison as a table, or as one JSON document; always 0.

    Raises `SpecError` for a bad spec, or for one with an estimator that preflight refuses.
    """
    experiment = read_file(spec_path)
    refuse_what_cannot_run(experiment)
    document = compare_gradients(experiment)
    if as_json:
        print(to_json(document))
        return 0
    labels = [item.label for item in experiment.estimators]
    width = max(len(label) for label in labels)
    print(f"{'':{width}}  {'meta-loss':>10} {'bias':>{WIDE}} {'cosine':>9} {'variance':>{WIDE}} "
          f"{'memory':>9} {'time':>9}")  # fmt: skip
    for label, row in zip(labels, document["estimators"], strict=True):
        print(
            f"{label:{width}}  {_number(row['meta_loss']):>10} {_range(row, 'bias'):>{WIDE}} "
            f"{_number(row['cosine']):>9} {_range(row, 'variance'):>{WIDE}} "
            f"{_bytes(row['peak_bytes']):>9} {_seconds(row['seconds']):>9}"
        )
        for note in row["health"].get("notes", []):
            print(f"  {note}")
    print("bias and variance are relative to the oracle's norm and its square; "
          "in brackets their 95 % confidence intervals")  # fmt: skip
    return 0


def _range(row: dict[str, Any], name: str) -> str:
    """A relative figure, with its interval where repeated estimates gave one."""
    text = _number(row[f"{name}_relative"])
    low, high = row[f"{name}_relative_low"], row[f"{name}_relative_high"]
    return text if low is None else f"{text} [{float(low):.3g}, {float(high):.3g}]"


def _number(value: Any) -> str:
    return "–" if value is None else f"{float(value):.4g}"


def _bytes(value: int | None) -> str:
    return "–" if value is None else f"{value / 1e6:.3g} MB"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g} s"
