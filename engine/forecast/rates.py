"""How fast this machine computes, measured in about a second.

`python -m engine.forecast.rates cpu 1` prints the rates of a device and a number of threads as
JSON: a worker asks in a process of its own, so that no run waits for it.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from engine.building import build_problem
from engine.estimators import build_estimator
from engine.forecast.meter import Meter
from engine.forecast.records import Rates
from engine.spec import validate

LISTENING_SECONDS = 0.06
"""How long each kernel is repeated."""
ROUNDS = 5
"""The fastest of so many counts: caches that others use can only slow it down."""
WIDTHS = {"cpu": (128, 256, 512), "cuda": (1024, 2048, 4096)}
"""Of the square matrices that are multiplied."""
CHANNELS = {"cpu": 32, "cuda": 256}
"""Of the images that are convolved."""
ENTRIES = {"cpu": (2**14, 2**18, 2**22), "cuda": (2**22, 2**24, 2**26)}
"""Of the vectors that are added."""
SMALL = {
    "inner_task": {"kind": "toy_regression"},
    "inner": {"steps": 10},
    "meta_parameters": [{"kind": "learning_rate", "initial": 0.01}],
}
"""A learner whose operations cost their calls and little else."""


def measured_rates(device: torch.device, threads: int = 1) -> Rates:
    """The rates of `device`; of the CPU, with `threads` threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return Rates(
            operation_seconds=operation_seconds(device),
            flops_per_second=flops_per_second(device, torch.float32),
            double_flops_per_second=flops_per_second(device, torch.float64),
            bytes_per_second=bytes_per_second(device),
        )
    finally:
        torch.set_num_threads(before)


def operation_seconds(device: torch.device) -> float:
    """Seconds of one plain operation on a few entries, by an estimate that calls many."""
    estimate = small_estimate(device)
    estimate()
    with Meter(answers=False) as meter:
        estimate()
    return _seconds_of(estimate, device) / meter.work.operations


def small_estimate(device: torch.device) -> Callable[[], object]:
    """An estimate of `SMALL`: forwards, and back through the steps."""
    experiment = validate({**SMALL, "device": device.type})
    problem = build_problem(experiment)
    meta = {name: leaf.detach() for name, leaf in problem.initial_meta(0).items()}
    estimator = build_estimator(experiment.estimators[0])
    carry = estimator.start(problem, meta, 0)
    return lambda: estimator.estimate(problem, meta, carry)


def flops_per_second(device: torch.device, dtype: torch.dtype) -> float:
    """Of matrix products and a convolution: the geometric mean over their sizes."""
    rates = []
    for width in WIDTHS[device.type]:
        matrix = torch.ones(width, width, dtype=dtype, device=device)
        rates.append(2.0 * width**3 / _seconds_of(_call(torch.mm, matrix, matrix), device))
    channels = CHANNELS[device.type]
    images = torch.ones(16, channels, 16, 16, dtype=dtype, device=device)
    kernel = torch.ones(channels, channels, 3, 3, dtype=dtype, device=device)
    convolve = _call(torch.conv2d, images, kernel, None, 1, 1)
    rates.append(2.0 * images.numel() * kernel[0].numel() / _seconds_of(convolve, device))
    return _geometric_mean(rates)


def bytes_per_second(device: torch.device) -> float:
    """Read and written by additions: the geometric mean over their sizes."""
    rates = []
    for entries in ENTRIES[device.type]:
        vector = torch.ones(entries, device=device)
        add = _call(torch.add, vector, vector)
        rates.append(3.0 * vector.nbytes / _seconds_of(add, device))
    return _geometric_mean(rates)


def _call(operation: Callable[..., Tensor], *arguments: Any) -> Callable[[], Tensor]:
    return lambda: operation(*arguments)


def _seconds_of(work: Callable[[], object], device: torch.device) -> float:
    """Seconds of one call of `work`, in the fastest of `ROUNDS` rounds."""
    work()
    once = _timed(work, 1, device)
    calls = max(1, math.ceil(LISTENING_SECONDS / ROUNDS / once))
    return min(once, *(_timed(work, calls, device) / calls for _ in range(ROUNDS)))


def _timed(work: Callable[[], object], calls: int, device: torch.device) -> float:
    # Of a CPU, the time that this thread had on it: what else the machine does is left out.
    clock = time.perf_counter if device.type == "cuda" else time.thread_time
    _wait_for(device)
    started = clock()
    for _ in range(calls):
        work()
    _wait_for(device)
    return clock() - started


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _geometric_mean(values: list[float]) -> float:
    return math.exp(sum(math.log(value) for value in values) / len(values))


if __name__ == "__main__":
    # Runs come first; the time that a thread has on a processor is the same.
    os.nice(10)
    print(measured_rates(torch.device(sys.argv[1]), int(sys.argv[2])).model_dump_json())
