"""The memory of a lab's processes under load, and what is told of it all."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import time
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from benchmarks.load import Seen

EVERY = 2.0
"""Seconds between two looks at the memory."""
MAY_GROW = 0.15
"""Of what a program holds in the middle of the time: more at its end is called growth without
end, beside `MAY_GROW_BYTES`."""
MAY_GROW_BYTES = 64 * 2**20
PROGRAMS = {
    "uvicorn": "web",
    "forecast@": "forecast worker",
    "celery": "workers",
    "postgres": "Postgres",
    "valkey": "broker",
    "webapp.supervisor": "supervisor",
}


class Memory:
    """Resident bytes of a lab's programs, summed over the processes of each."""

    def __init__(self, supervisor: int) -> None:
        self.supervisor = psutil.Process(supervisor)
        self.samples: list[dict[str, int]] = []
        self.most_cores = 0.0

    async def sample(self, until: float) -> None:
        while time.monotonic() < until:
            self.samples.append(await asyncio.to_thread(self._now))
            await asyncio.sleep(EVERY)

    def _now(self) -> dict[str, int]:
        held: dict[str, int] = {}
        for process in [self.supervisor, *self.supervisor.children(recursive=True)]:
            try:
                name = _program(" ".join(process.cmdline()))
                # Postgres counts its shared buffers in each of its processes; its own part is fair.
                full = process.memory_full_info()
                held[name] = held.get(name, 0) + full.pss
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return held

    def by_program(self) -> dict[str, dict[str, int]]:
        """Medians of three tenths of the time, after the start, in the middle, at the end."""
        names = sorted({name for sample in self.samples for name in sample})
        return {name: self._growth(name) for name in names}

    def _growth(self, name: str) -> dict[str, int]:
        held = [sample.get(name, 0) for sample in self.samples]
        tenth = max(1, len(held) // 10)
        middle = len(held) // 2
        return {
            "start": int(median(held[tenth : 2 * tenth] or held)),
            "middle": int(median(held[middle : middle + tenth])),
            "end": int(median(held[-tenth:])),
            "most": max(held),
        }


def _program(command: str) -> str:
    return next((name for sign, name in PROGRAMS.items() if sign in command), "other")


def report(seen: Seen, memory: Memory, options: argparse.Namespace, took: float) -> dict[str, Any]:
    """Everything as JSON; `passed` where nothing broke and nothing grew without end."""
    programs = memory.by_program()
    grew = [name for name, held in programs.items() if _grows(held)]
    load, _, _ = os.getloadavg()
    return {
        "machine": f"{os.cpu_count()} cores ({platform.machine()}) for the lab and the people",
        "load_average": round(load, 1),
        "seconds": round(took, 1),
        "watching": options.watching,
        "launching": options.launching,
        "exporting": options.exporting,
        "launched": len(seen.runs),
        "ended": seen.ended,
        "points": seen.points,
        "requests": {kind: _percentiles(taken) for kind, taken in sorted(seen.seconds.items())},
        "errors": seen.errors,
        "memory": programs,
        "grew": grew,
        "passed": not seen.errors and not grew and bool(seen.runs),
    }


def _grows(held: dict[str, int]) -> bool:
    return held["end"] > held["middle"] * (1 + MAY_GROW) + MAY_GROW_BYTES


def _percentiles(taken: list[float]) -> dict[str, float]:
    p95 = quantiles(taken, n=20)[-1] if len(taken) > 1 else taken[0]
    return {
        "count": len(taken),
        "median": round(median(taken), 4),
        "p95": round(p95, 4),
        "most": round(max(taken), 4),
    }


def table(found: dict[str, Any]) -> str:
    """The report for people."""
    lines = [
        f"{found['watching']} watch, {found['launching']} launch, {found['exporting']} export for "
        f"{found['seconds']:.0f} s on {found['machine']} (load {found['load_average']}): "
        f"{found['launched']} launched, {found['ended']} seen to end, {found['points']:,} entries.",
        "",
        f"{'request':22}{'count':>8}{'median':>10}{'95 %':>10}{'most':>10}",
    ]
    for kind, told in found["requests"].items():
        times = "".join(f"{1e3 * told[name]:>7.0f} ms" for name in ("median", "p95", "most"))
        lines.append(f"{kind:22}{told['count']:>8}{times}")
    lines += ["", f"{'memory, MB':22}{'start':>8}{'middle':>10}{'end':>10}{'most':>10}"]
    for name, held in found["memory"].items():
        start, *rest = (f"{held[when] / 1e6:.0f}" for when in ("start", "middle", "end", "most"))
        lines.append(f"{name:22}{start:>8}" + "".join(f"{value:>10}" for value in rest))
    lines += ["", *(f"{times} × {what}" for what, times in found["errors"].items())]
    lines += [f"{name} grew without end" for name in found["grew"]]
    lines.append("passed" if found["passed"] else "FAILED")
    return "\n".join(lines)
