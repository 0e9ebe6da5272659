"""The lecture's example: an exact meta-gradient through 4,000 steps of a small perceptron.

    python -m benchmarks.lecture_example [--optimizer adam] [--steps 4000]

784-512-512-10 on Fashion-MNIST, batch 64. The lecture: backpropagation through the whole loop
needs over 100 GB. Prints what plain training took, what the exact meta-gradient took beside it,
and its memory: the peak of live tensors, and what the process grew by. Seconds are those that the
process had on a CPU.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from benchmarks.plain_training import plain_training
from engine import trees
from engine.building import build_problem
from engine.estimators import build_estimator
from engine.probes.memory import PeakBytes
from engine.problem import Learner, Meta, State
from engine.spec import validate

CHUNK = 100
"""Steps of plain training between two movements of the progress bar."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lecture_example")
    parser.add_argument("--optimizer", choices=["sgd", "adam"], default="sgd")
    parser.add_argument("--steps", type=int, default=4000, help="horizon T (4000)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of PyTorch (1)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    problem = _problem(options.optimizer, options.steps)
    plain = _plain_seconds(problem, options.optimizer)
    print(f"plain training: {plain:.1f} s")
    _meta_gradient(problem, plain)


def _problem(optimizer: str, steps: int) -> Learner:
    """SGD with one learned rate, or Adam with a rate for every parameter."""
    granularity = {"sgd": "scalar", "adam": "per_parameter"}[optimizer]
    rate = {"sgd": 0.1, "adam": 0.001}[optimizer]
    document = {
        "inner_task": {"kind": "image_mlp", "dataset": "fashion_mnist", "hidden": [512, 512]},
        "inner": {"steps": steps, "optimizer": {"kind": optimizer, "learning_rate": rate}},
        "meta_parameters": [{"kind": "learning_rate", "granularity": granularity}],
        "device": "cpu",
    }
    return build_problem(validate(document))


def _plain_seconds(problem: Learner, optimizer: str) -> float:
    rule = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer]
    train = plain_training(problem, CHUNK, rule=rule)
    train()  # what torch prepares only once
    started = time.process_time()
    for _ in tqdm(range(problem.horizon // CHUNK), "plain training", unit=f" × {CHUNK} steps"):
        train()
    return time.process_time() - started


def _meta_gradient(problem: Learner, plain: float) -> None:
    estimator = build_estimator({"kind": "unrolled", "storage": "checkpoint"})
    meta = problem.initial_meta(0)
    before = _resident_bytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    with tqdm(total=2 * problem.horizon, desc="exact meta-gradient", unit=" steps") as bar:
        watched = _Watched(problem, bar)
        started = time.process_time()
        found, _ = estimator.estimate(watched, meta, estimator.start(watched, meta, 0))
        seconds = time.process_time() - started
    grown = _resident_bytes("VmHWM") - before
    norm = float(trees.norm(list(found.gradient.values())))
    print(f"meta-loss {found.meta_loss:.4f}, norm of the meta-gradient {norm:.6g}")
    print(f"exact meta-gradient: {seconds:.1f} s, {seconds / plain:.2f}×")
    print(f"the process grew by {grown / 1e6:.0f} MB at its peak")
    with (
        tqdm(total=2 * problem.horizon, desc="its live tensors", unit=" steps") as bar,
        PeakBytes(torch.device("cpu")) as peak,
    ):
        watched = _Watched(problem, bar)
        estimator.estimate(watched, meta, estimator.start(watched, meta, 0))
    print(f"peak of live tensors: {peak.bytes / 1e6:.0f} MB")


class _Watched:
    """The problem itself, telling a progress bar of every inner step."""

    def __init__(self, problem: Learner, bar: tqdm) -> None:
        self._problem, self._bar = problem, bar

    def __getattr__(self, name: str) -> Any:
        return getattr(self._problem, name)

    def step(self, state: State, meta: Meta, t: int) -> State:
        self._bar.update()
        return self._problem.step(state, meta, t)


def _resident_bytes(name: str) -> int:
    """Linux's count of this process's memory: `VmRSS` now, `VmHWM` at its peak."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {name}: this measurement needs Linux")


if __name__ == "__main__":
    main()
