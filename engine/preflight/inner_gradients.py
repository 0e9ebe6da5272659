"""How a step takes its inner gradient: what torch then loses without a word.

A backward that is marked `once_differentiable`, or a gradient taken without `create_graph`, comes
out cut from the graph: an adjoint that passes the step takes its derivative as zero. Neither
leaves a trace in the result that could be told from a step which is right, so the calls that the
step makes are watched.
"""

from __future__ import annotations

import sys
from types import FrameType, TracebackType
from typing import Any, Self

import torch
from torch.autograd.function import once_differentiable

_MARKED = once_differentiable(lambda ctx: None).__code__
_GRADIENT = torch.autograd.grad.__code__
_BACKWARD = torch.autograd.backward.__code__


class InnerGradients:
    """Context manager; afterwards `marked` names the backward that may be taken only once, and
    `without_graph` the call that built no graph. Empty where there was none."""

    marked: str = ""
    without_graph: str = ""

    def __enter__(self) -> Self:
        self._one_thread = torch.autograd.set_multithreading_enabled(False)
        self._one_thread.__enter__()
        self._before = sys.getprofile()
        sys.setprofile(self._see)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        sys.setprofile(self._before)
        self._one_thread.__exit__(kind, error, traceback)

    def _see(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call":
            return
        if frame.f_code is _MARKED:
            self.marked = getattr(frame.f_locals.get("fn"), "__qualname__", "a backward")
        elif frame.f_code in (_GRADIENT, _BACKWARD) and not frame.f_locals["create_graph"]:
            name = "grad" if frame.f_code is _GRADIENT else "backward"
            self.without_graph = f"torch.autograd.{name}"
