"""The lecture's table of hyper-parameter optimisation (Lorraine et al., 2020), at small size.

    python -m benchmarks.hyper_parameters        # docs/results/hyper-parameters.json, 10 minutes

A character LSTM, which soon knows its 2,048 characters by heart; three dropout rates and weight
decay, or weight decay for every weight ("many"). Every method has 13,000 inner steps. What is
compared is the θ with the lowest validation loss that a method has met, on text that neither loop
has seen; of the self-tuning network, which never trains a whole model for one θ, the last θ. The
outer step size of the methods with a gradient is the better of 0.1 and 0.3 by the validation loss
on seeds 10 and 11. A self-tuning network counts the steps of training twice: it takes as many on
held-out text.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

import engine
from benchmarks.applications import RESULTS, SEEDS, cpu_seconds, provenance
from engine.events import Point, Started
from engine.plain import to_json
from engine.presets import PRESETS
from engine.spec import Experiment, read_text, validate

INNER_STEPS = 13_000
PATH = RESULTS / "hyper-parameters.json"


@dataclass(frozen=True)
class Method:
    """A row of the table."""

    name: str
    estimator: dict[str, Any]
    outer_steps: int
    learning_rate: float | None = None
    """Outer step size; a search has none."""
    granularity: str = "scalar"
    """Of weight decay."""


BOX = {"low": -9.0, "high": 0.0}
IMPLICIT = {"kind": "implicit", "solver": "neumann", "iterations": 3, "step_size": 0.1}
METHODS = [
    Method("grid", {"kind": "grid", "population": 12, "points": 3, "chunk": 13, **BOX}, 5),
    Method("random", {"kind": "random", "population": 12, "chunk": 13, **BOX}, 5),
    Method("Bayesian", {"kind": "bayesian", "population": 12, "chunk": 13, **BOX}, 5),
    Method(
        "population-based training",
        {"kind": "population_based", "population": 65, "interval": 40, "sigma": 2.0, "chunk": 65},
        5,
    ),
    Method("self-tuning network", {"kind": "self_tuning", "window": 20, "sigma": 0.3}, 325, 0.1),
    Method("truncated", {"kind": "truncated", "mode": "last_k", "window": 10}, 65, 0.1),
    Method("implicit", IMPLICIT, 65, 0.3),
    Method("implicit, many", IMPLICIT, 65, 0.3, granularity="per_parameter"),
]


def experiment(method: Method, seeds: list[int]) -> Experiment:
    """The preset of the searches with this method in it."""
    [preset] = [preset for preset in PRESETS if preset.slug == "language-model-by-searches"]
    document = read_text(preset.text).model_dump(mode="json")
    [_, weight_decay] = document["meta_parameters"]
    weight_decay["granularity"] = method.granularity
    outer = {"steps": method.outer_steps}
    if method.learning_rate:
        outer["optimizer"] = {"kind": "adam", "learning_rate": method.learning_rate}
    probes = {"every": max(1, method.outer_steps // 65), "oracle": False, "memory": False}
    return validate(
        {
            **document,
            "name": method.name,
            "estimators": [method.estimator],
            "outer": outer,
            "probes": probes,
            "seeds": seeds,
        }
    )


def measure(method: Method, seeds: list[int]) -> list[dict[str, Any]]:
    """For each seed the figures at the first θ, and at the best one by its validation loss."""
    rows: dict[int, dict[str, Any]] = {}
    seed, before = seeds[0], cpu_seconds()
    for event in tqdm(engine.run(experiment(method, seeds)), desc=method.name, disable=None):
        if isinstance(event, Started):
            seed, before = event.seed, cpu_seconds()
        if isinstance(event, Point):
            row = rows.setdefault(seed, {"method": method.name, "seed": seed})
            row |= {"inner_steps": event.values["inner_steps"], "seconds": cpu_seconds() - before}
            if "test_loss" in event.values:
                found = {name: event.values[name] for name in ("meta_loss", "test_loss")}
                row.setdefault("first", found)
                if method.estimator["kind"] == "self_tuning":
                    row["best"] = found
                else:
                    both = (row.get("best", found), found)
                    row["best"] = min(both, key=lambda figures: figures["meta_loss"])
    return list(rows.values())


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.hyper_parameters", description=__doc__
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    seeds = parser.parse_args().seeds
    rows = [row for method in METHODS for row in measure(method, seeds)]
    document = json.loads(to_json({**provenance(), "rows": rows}))
    PATH.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
