"""The example runs as its first line says, and its numbers are right."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_example_of_an_own_problem_runs() -> None:
    source = (ROOT / "examples/own_problem.py").read_text()
    assert len(source.splitlines()) <= 40
    finished = subprocess.run(
        [sys.executable, "-m", "examples.own_problem"],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    printed = {
        kind: float(value) for kind, value, *_ in map(str.split, finished.stdout.splitlines())
    }
    assert list(printed) == ["unrolled", "truncated", "evolution"]

    names = runpy.run_path(str(ROOT / "examples/own_problem.py"))
    problem, step = names["problem"], 1e-5

    def meta_loss(log_rate) -> float:
        meta = {"log_rate": log_rate}
        state = problem.initial_state(meta, 0)
        for t in range(problem.horizon):
            state = problem.step(state, meta, t)
        return problem.meta_loss(state, meta, problem.horizon).item()

    rate = names["theta"]["log_rate"]
    slope = (meta_loss(rate + step) - meta_loss(rate - step)) / (2 * step)
    assert printed["unrolled"] == pytest.approx(slope, abs=1e-6)
    assert abs(printed["truncated"]) < 0.2 * abs(slope)
