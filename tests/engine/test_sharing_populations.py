"""A population that is cut between its chunks and put together again: the same bits."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import engine
from engine.events import MEASURED_SERIES, Point
from engine.population import Evaluator
from engine.problem import Meta
from engine.spec import validate

BOWL = {
    "inner_task": {"kind": "quadratic", "dimension": 5, "condition_number": 10.0},
    "inner": {"steps": 6},
    "meta_parameters": [{"kind": "learning_rate", "initial": 0.05}],
    "outer": {"steps": 3, "meta_batch": 2},
    "seeds": [4],
    "probes": {"every": 2, "draws": 2},
    "device": "cpu",
}
KINDS: list[dict[str, Any]] = [
    {"kind": "evolution", "particles": 14, "chunk": 4},
    {"kind": "elites", "population": 13, "elites": 4, "chunk": 3},
    {"kind": "cma_es", "population": 9, "chunk": 1},
    {"kind": "random", "population": 7, "high": 0.2, "chunk": 2},
]


class Cutting:
    """Evaluates the chunks backwards, each by itself, as workers may that are faster or slower."""

    def __init__(self) -> None:
        self.chunks = 0

    def __call__(self, here: Evaluator) -> Evaluator:
        def evaluate(metas: Meta, seed: int, chunk: int) -> torch.Tensor:
            firsts = range(0, len(next(iter(metas.values()))), chunk)
            parts = {}
            for first in reversed(firsts):
                self.chunks += 1
                part = {name: leaf[first : first + chunk] for name, leaf in metas.items()}
                parts[first] = here(part, seed, chunk)
            return torch.cat([parts[first] for first in firsts])

        return evaluate


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind["kind"])
def test_who_computes_which_chunk_changes_no_bit(kind: dict[str, Any]) -> None:
    spec = validate({**BOWL, "estimators": [kind]})
    cutting = Cutting()

    def points(**more: Any) -> list[dict[str, float]]:
        return [
            {k: v for k, v in event.values.items() if k not in MEASURED_SERIES}
            for event in engine.run(spec, **more)
            if isinstance(event, Point)
        ]

    assert points(share=cutting) == points()
    assert cutting.chunks > 2 * 3, "the population was cut"
