"""A forecast that is left undone in the middle of a trace. Free of torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_goes_on: ContextVar[Callable[[], bool] | None] = ContextVar("goes_on", default=None)


class Interrupted(BaseException):
    """Not an `Exception`: what handles an operation that fails must not take this for one."""


@contextmanager
def interruptible(goes_on: Callable[[], bool]) -> Iterator[None]:
    """Raises `Interrupted` inside once `goes_on()` is false: it is asked at every operation that
    is traced, so it must answer at once. Traces that were finished are kept."""
    token = _goes_on.set(goes_on)
    try:
        yield
    finally:
        _goes_on.reset(token)


def look() -> None:
    goes_on = _goes_on.get()
    if goes_on is not None and not goes_on():
        raise Interrupted
