"""The programs of the lab beside its servers: the web, the workers, the beat."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

CELERY = (sys.executable, "-m", "celery", "-A", "webapp.celery")
# Nothing to gain from workers talking to each other, and they start faster.
QUIET = ("--without-gossip", "--without-mingle", "--loglevel", "INFO")
# A process that has traced much holds much; the next one begins with an empty cache.
FORECASTS_PER_PROCESS = "2000"
FORECAST_KIBIBYTES = "2000000"
LARGEST_FRAME = 2**18
"""Bytes of one frame that the web's websockets read; a larger one ends its connection."""


@dataclass(frozen=True)
class Program:
    name: str
    command: tuple[str, ...]
    what: str
    environment: dict[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    restarts: bool = False


def cores() -> int:
    """The processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def gpus() -> list[str]:
    """The numbers of the NVIDIA devices of this machine, without touching CUDA."""
    if not shutil.which("nvidia-smi"):
        return []
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (subprocess.SubprocessError, OSError):
        return []
    return listed.stdout.split()


def web(port: int) -> Program:
    return Program(
        name="web",
        command=(
            *(sys.executable, "-m", "uvicorn", "webapp.asgi:application"),
            *("--host", "127.0.0.1", "--port", str(port), "--lifespan", "off"),
            # One-time links are part of an address: no addresses in the log.
            *("--no-access-log", "--timeout-graceful-shutdown", "3"),
            *("--ws-max-size", str(LARGEST_FRAME)),
        ),
        what=f"http://localhost:{port}",
    )


def cpu_worker() -> Program:
    return Program(
        name="worker",
        command=(
            *CELERY,
            "worker",
            *("-Q", "cpu", "-n", "cpu@%h", "--concurrency", str(cores()), "--pool", "prefork"),
            *QUIET,
        ),
        what=f"queue cpu, {cores()} at a time",
        # What runs on a device belongs to the worker of that device.
        environment={"CUDA_VISIBLE_DEVICES": ""},
        restarts=True,
    )


def gpu_worker(device: str) -> Program:
    return Program(
        name=f"worker-gpu{device}",
        command=(
            *CELERY,
            "worker",
            *("-Q", "gpu", "-n", f"gpu{device}@%h", "--concurrency", "1", "--pool", "prefork"),
            *QUIET,
        ),
        what=f"queue gpu, device {device}",
        environment={"CUDA_VISIBLE_DEVICES": device},
        restarts=True,
    )


def forecast_worker() -> Program:
    return Program(
        name="worker-forecast",
        command=(
            *CELERY,
            "worker",
            *("-Q", "forecast", "-n", "forecast@%h", "--concurrency", "1", "--pool", "prefork"),
            *("--max-tasks-per-child", FORECASTS_PER_PROCESS),
            *("--max-memory-per-child", FORECAST_KIBIBYTES),
            *QUIET,
        ),
        what="queue forecast, one at a time",
        # Nothing is computed on a device: there, tensors have sizes and no contents.
        environment={"CUDA_VISIBLE_DEVICES": ""},
        restarts=True,
    )


def beat(schedule: Path) -> Program:
    return Program(
        name="beat",
        command=(*CELERY, "beat", "--schedule", str(schedule), "--loglevel", "INFO"),
        what="recurring tasks",
    )
