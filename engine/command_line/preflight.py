"""`python -m engine preflight`: which estimators can run, why the others cannot, and the cure."""

from __future__ import annotations

from pathlib import Path

from engine.plain import to_json
from engine.preflight import verdicts
from engine.spec import read_file


def print_verdicts(spec_path: Path, *, as_json: bool) -> int:
    """Print what preflight says, as text or as one JSON document; 0, or 2 where one is refused."""
    found = verdicts(read_file(spec_path))
    if as_json:
        rows = [
            {
                "spec": verdict.estimator.model_dump(mode="json"),
                "ready": verdict.ready,
                "obstacles": [obstacle.as_dict() for obstacle in verdict.obstacles],
            }
            for verdict in found
        ]
        print(to_json({"estimators": rows}))
    else:
        for verdict in found:
            print(f"{verdict.estimator.label}: {'ready' if verdict.ready else 'refused'}")
            for obstacle in verdict.obstacles:
                print(f"  {obstacle.level}: {obstacle}")
    return 0 if all(verdict.ready for verdict in found) else 2
