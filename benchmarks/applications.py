"""What meta-learning gains in every application: the presets, over seeds, into docs/results/.

    python -m benchmarks.applications              # every preset that has no result yet
    python -m benchmarks.applications SLUG …       # these, whether they have one or not

A SLUG is that of a preset or of a file in examples/full_size/, some of which a CPU can do too.

A result is one JSON document with the spec, the code version, the machine, and for every run the
first and the last value of each series. It is written when all runs of a preset have finished, so
an interrupted measurement goes on with the next preset. `python -m benchmarks.applications_page`
makes docs/applications.md of them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

import engine
from engine.events import Finished, Pictured, Point, Started
from engine.plain import to_json
from engine.presets import PRESETS
from engine.spec import Experiment, read_text, validate
from engine.version import code_version

RESULTS = Path(__file__).parents[1] / "docs" / "results"
FULL_SIZE = Path(__file__).parents[1] / "examples" / "full_size"
SEEDS = [0, 1, 2]
NOT_KEPT = ("theta.",)
"""Prefixes of series that no table needs."""


@dataclass
class Record:
    """What is kept of one run."""

    label: str
    seed: int
    first: dict[str, float]
    last: dict[str, float]
    status: str = ""
    reason: str = ""


def measure(slug: str, seeds: list[int]) -> dict[str, Any]:
    """Run the experiment `slug` over `seeds`; its result as a plain document."""
    experiment = over(read_text(text_of(slug)), seeds)
    started, cpu = time.monotonic(), cpu_seconds()
    records: dict[int, Record] = {}
    pictures: dict[tuple[str, str], dict[str, Any]] = {}
    with tqdm(desc=slug, unit="step", disable=None) as bar:
        for event in engine.run(experiment):
            match event:
                case Started():
                    records[event.run] = Record(event.label, event.seed, {}, {})
                case Point():
                    record = records[event.run]
                    values = {k: v for k, v in event.values.items() if not k.startswith(NOT_KEPT)}
                    record.first = {**values, **record.first}
                    record.last |= values
                    bar.update()
                case Pictured() if records[event.run].seed == seeds[0]:
                    key = (records[event.run].label, event.picture.name)
                    pictures[key] = event.picture.model_dump(mode="json")
                case Finished():
                    records[event.run].status = event.status
                    records[event.run].reason = event.reason
    return {
        "slug": slug,
        "spec": experiment.model_dump(mode="json"),
        **provenance(),
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(cpu_seconds() - cpu, 1),
        "runs": [vars(record) for record in records.values()],
        "pictures": [
            {"label": label, "picture": picture} for (label, _), picture in pictures.items()
        ],
    }


def text_of(slug: str) -> str:
    """The spec of a preset, or of a full-size file."""
    presets = {preset.slug: preset.text for preset in PRESETS}
    return presets.get(slug) or (FULL_SIZE / f"{slug}.yaml").read_text("utf-8")


def provenance() -> dict[str, Any]:
    """Which code measured, when and where."""
    return {
        "code_version": code_version(),
        "date": date.today().isoformat(),
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "torch": torch.__version__,
        },
    }


def over(experiment: Experiment, seeds: list[int]) -> Experiment:
    """The same experiment with `seeds`."""
    return validate({**experiment.model_dump(mode="json"), "seeds": seeds})


def cpu_seconds() -> float:
    """What this process has had on a CPU, all its threads together."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.applications", description=__doc__)
    parser.add_argument("slugs", nargs="*", metavar="SLUG")
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    options = parser.parse_args()
    presets = [preset.slug for preset in PRESETS]
    known = [*presets, *sorted(path.stem for path in FULL_SIZE.glob("*.yaml"))]
    if unknown := set(options.slugs) - set(known):
        parser.error(f"no experiment {', '.join(unknown)}; there are: {', '.join(known)}")
    missing = [slug for slug in presets if not (RESULTS / f"{slug}.json").exists()]
    RESULTS.mkdir(parents=True, exist_ok=True)
    for slug in options.slugs or missing:
        document = json.loads(to_json(measure(slug, options.seeds)))
        path = RESULTS / f"{slug}.json"
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
