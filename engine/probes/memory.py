"""Peak bytes of live tensors during a block, above what was live before it."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class PeakBytes:
    """Context manager; afterwards `bytes` is the peak.

    On CUDA it is the allocator's own peak. On the CPU every storage that an operation returns is
    followed from its creation to its end, whoever keeps it alive (a variable, a graph's saved
    tensors), which the resident size of a process does not show: the allocator keeps freed pages.
    Scratch memory inside a single kernel is not seen on the CPU; a compiled chunk of steps is one
    kernel, of which its results are counted and what it needs in between is not.
    """

    bytes: int = 0

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._storages = LiveStorages()

    def __enter__(self) -> Self:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
            torch.cuda.reset_peak_memory_stats(self._device)
            self._before = torch.cuda.memory_allocated(self._device)
        else:
            self._storages.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._device.type == "cuda":
            self.bytes = torch.cuda.max_memory_allocated(self._device) - self._before
        else:
            self._storages.__exit__(kind, error, traceback)
            self.bytes = self._storages.peak


def follow(results: Iterable[torch.Tensor], arguments: tuple) -> None:
    """Tell the measurements under way what compiled code made of `arguments`, which runs below
    the level at which they see operations."""
    for storages in _under_way:
        storages.follow(results, arguments)


class LiveStorages(TorchDispatchMode):
    """Counts the bytes of storages made while it is active and not yet freed.

    It sees every operation, so it is written for speed: plain loops instead of tree utilities.
    """

    def __init__(self) -> None:
        super().__init__()
        self.live = 0
        self.peak = 0
        self._followed: dict[int, weakref.ref] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        result = func(*args, **kwargs) if kwargs else func(*args)
        self.follow(result if isinstance(result, tuple | list) else (result,), args, kwargs)
        return result

    def follow(self, results: Iterable[Any], args: tuple, kwargs: dict | None = None) -> None:
        for tensor in _tensors(results):
            storage = tensor.untyped_storage()
            address = storage._cdata
            if address not in self._followed and not _shares_storage(address, args, kwargs):
                self._follow(storage, address)

    def __enter__(self) -> Self:
        _under_way.append(self)
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        _under_way.remove(self)

    def _follow(self, storage: torch.UntypedStorage, address: int) -> None:
        size = storage.nbytes()
        self.live += size
        self.peak = max(self.peak, self.live)

        def freed(_: weakref.ref) -> None:
            self.live -= size
            del self._followed[address]

        self._followed[address] = weakref.ref(storage, freed)


_under_way: list[LiveStorages] = []


def _shares_storage(address: int, args: tuple, kwargs: dict | None) -> bool:
    """Whether a result is a view of an argument, or an argument changed in place."""
    given = (*args, *kwargs.values()) if kwargs else args
    return any(tensor.untyped_storage()._cdata == address for tensor in _tensors(given))


def _tensors(values: Iterable[Any]) -> Iterator[torch.Tensor]:
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, tuple | list):
            yield from _tensors(value)
