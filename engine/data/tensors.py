"""A data set as tensors: once in a device's memory, however many problems train on it."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from engine.data import data_folder, load
from engine.values import with_values


@dataclass(frozen=True)
class Split:
    """Examples of one part of a data set."""

    inputs: Tensor
    """[N, *shape], in the precision of the problem."""
    labels: Tensor
    """int64 [N]; or, where an example belongs to several classes in part, [N, classes]."""
    indices: Tensor | None = None
    """int64 [N]: which of the training examples each is; nothing where they are none of these."""

    def first(self, count: int | None) -> "Split":
        """The first `count` examples, sharing memory with this; nothing means all of them."""
        return Split(self.inputs[:count], self.labels[:count])


class Splits(NamedTuple):
    train: Split
    validation: Split
    test: Split


def load_tensors(name: str, *, device: torch.device, dtype: torch.dtype) -> Splits:
    """All examples of a data set, never to be written to: every caller shares them."""
    return _load(name, data_folder(), device, dtype)


@lru_cache(maxsize=8)
def _load(name: str, folder: Path, device: torch.device, dtype: torch.dtype) -> Splits:
    arrays = load(name)
    with with_values():
        return Splits(
            _split(arrays.train_inputs, arrays.train_labels, device, dtype),
            _split(arrays.validation_inputs, arrays.validation_labels, device, dtype),
            _split(arrays.test_inputs, arrays.test_labels, device, dtype),
        )


def _split(inputs, labels, device: torch.device, dtype: torch.dtype) -> Split:
    return Split(torch.from_numpy(inputs).to(device, dtype), torch.from_numpy(labels).to(device))


def random_of_each_class(labels: Tensor, classes: int, count: int, seed: int) -> Tensor:
    """Indices of `count` examples of each class, class by class, drawn by `seed`; an example comes
    twice only where its class has fewer. Shape [classes · count].

    Raises `ValueError` for a class without an example.
    """
    generator = torch.Generator().manual_seed(seed)
    chosen = []
    for label in range(classes):
        of_class = (labels == label).nonzero().flatten()
        if not len(of_class):
            raise ValueError(f"none of the {len(labels)} training examples is of class {label}")
        order = torch.randperm(len(of_class), generator=generator).to(labels.device)
        chosen.append(of_class[order.repeat(-(-count // len(order)))[:count]])
    return torch.cat(chosen)
