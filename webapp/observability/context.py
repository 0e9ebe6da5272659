"""Which request or run this code works for, so that every line of the log can say so."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_address: ContextVar[str | None] = ContextVar("address", default=None)
_run_id: ContextVar[int | None] = ContextVar("run_id", default=None)


@contextmanager
def request(request_id: str, address: str | None = None) -> Iterator[None]:
    """What happens inside belongs to the request `request_id`, which came from `address`."""
    tokens = _request_id.set(request_id), _address.set(address)
    try:
        yield
    finally:
        _request_id.reset(tokens[0])
        _address.reset(tokens[1])


def current_request_id() -> str:
    """Empty outside of a request."""
    return _request_id.get()


def current_address() -> str | None:
    """Where the request came from; None outside of one."""
    return _address.get()


@contextmanager
def run(run_id: int) -> Iterator[None]:
    """What is logged inside belongs to the run `run_id`."""
    token = _run_id.set(run_id)
    try:
        yield
    finally:
        _run_id.reset(token)


class Belonging(logging.Filter):
    """Gives each record `request_id` (empty outside of one), `run_id` (None outside of one), and
    `belonging`, both as words for people."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = _request_id.get()
        record.run_id = _run_id.get()
        words = [f"request {record.request_id}"] if record.request_id else []
        words += [f"run {record.run_id}"] if record.run_id is not None else []
        record.belonging = f"[{', '.join(words)}] " if words else ""
        return True
