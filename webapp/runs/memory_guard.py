"""Keeps a run within the memory of its worker's slot, so that the kernel never has to kill it.

There are two lines. A run that has passed the first, the slot's share of what the worker gives to
runs, ends after its outer step with its checkpoint. Past the second, a fifth above it, the process
gets no more memory: the allocation that would pass it fails, which ends the run alone. All slots at
their second line take what the machine has less a 25th (`webapp.workers.pulse`).
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import resource
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from webapp.exports.numbers import format_value
from webapp.workers.models import Worker

ROOM = 0.2
"""Between the lines, as a part of the share."""
CURE = (
    "clone it: the builder says what its spec needs and offers what fits, such as checkpointed "
    "storage, a shorter window or a smaller batch"
)
_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


class MemoryGuard:
    """Context manager around a run on the CPU; of a device the allocator of CUDA keeps its own.

    Without a `share`, in bytes, or where the system does not tell, it does nothing.
    """

    def __init__(self, share: float | None) -> None:
        self.share = share if _STATUS.exists() else None
        self.first_line = float("inf")
        self._before = resource.getrlimit(resource.RLIMIT_DATA)

    @classmethod
    def of_worker(cls, name: str) -> Self:
        worker = Worker.objects.filter(name=name, has_gpu=False).first()
        return cls(worker and worker.run_bytes)

    def __enter__(self) -> Self:
        if self.share is not None:
            _give_back()
            sizes = _sizes()
            # Where the process is large from the runs before it, there is room for a small one.
            room = max(self.share - sizes["VmRSS"], ROOM * self.share)
            self.first_line = sizes["VmRSS"] + room
            most = sizes["VmData"] + room + ROOM * self.share
            resource.setrlimit(resource.RLIMIT_DATA, (int(most), self._before[1]))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.lift()

    def lift(self) -> None:
        """Give what follows a run its memory back."""
        resource.setrlimit(resource.RLIMIT_DATA, self._before)

    def reason_to_stop(self) -> str:
        """Why the run must end now, in a sentence; empty while it is within its share."""
        if self.share is None or (most := _sizes()["VmHWM"]) <= self.first_line:
            return ""
        return (
            f"the run's process took {_bytes(most)}, more than the {_bytes(self.share)} that its "
            f"worker gives a run; {CURE}"
        )

    def explanation(self) -> str:
        """Of a run to which memory was refused."""
        if self.share is None:
            return ""
        return (
            f"The run asked for more memory than the {_bytes(self.share)} that its worker gives a "
            f"run, and got no more; {CURE}."
        )


def _give_back() -> None:
    """Let the process hold only what it uses, and its largest size so far begin anew."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
    with contextlib.suppress(OSError):
        _CLEAR.write_text("5")


def _sizes() -> dict[str, float]:
    """Bytes of this process: resident now (VmRSS) and at most (VmHWM), and of its data (VmData)."""
    return dict(_entries(_STATUS.read_text()))


def _entries(status: str) -> Iterator[tuple[str, float]]:
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name in ("VmRSS", "VmHWM", "VmData"):
            yield name, 1024.0 * int(value.split()[0])


def _bytes(size: float) -> str:
    return format_value(size, "B")
