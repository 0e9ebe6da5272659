"""Bytes that the processes of this machine, or of the container around this one, may have together.
Free of torch."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


def machine_memory() -> int:
    """The machine's memory, or the lowest limit of a control group that this process is in."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in _limits():
        with contextlib.suppress(OSError, ValueError):  # "max" says that there is no limit
            limits.append(int(path.read_text()))
    return min(limits)


def _limits() -> Iterator[Path]:
    """Files with the limits of the groups of this process and of all around them, in version 2 of
    control groups and in version 1. A container may see its own group as the root."""
    for path in {"/", *_own_groups()}:
        for group in (Path(path), *Path(path).parents):
            inside = str(group).lstrip("/")
            yield GROUPS / inside / "memory.max"
            yield GROUPS / "memory" / inside / "memory.limit_in_bytes"


def _own_groups() -> list[str]:
    """Paths, of lines `hierarchy:controllers:path`; version 2 names no controller."""
    try:
        lines = OWN_GROUPS.read_text().splitlines()
    except OSError:
        return []
    parts = (line.split(":", 2) for line in lines)
    return [path for _, controllers, path in parts if controllers in ("", "memory")]
