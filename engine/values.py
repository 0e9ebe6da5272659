"""Tensors that must have values, whatever mode is on."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch.utils._python_dispatch import _disable_current_modes


@contextmanager
def with_values() -> Iterator[None]:
    """For what outlives a call, or is read on the host: a forecast traces code among tensors that
    have shapes alone."""
    with _disable_current_modes():
        yield
