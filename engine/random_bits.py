"""Random numbers as a function of (seed, t): counter-based, in plain tensor operations.

A step of an inner loop is pure only if its batch and noise depend on the seed and the step alone.
Hashing a counter (SplitMix64; Steele, Lea and Flood, 2014) gives that without a generator's hidden
state, on every device alike, for `t` an int or a tensor, under vmap and jvp.
"""

from math import pi

import torch
from torch import Tensor

_GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as a signed 64-bit integer
_MIX_1 = -4658895280553007687  # 0xBF58476D1CE4E5B9
_MIX_2 = -7723592293110705685  # 0x94D049BB133111EB
_STREAM = 3202034522624059733  # 0x2C6FE96EE78B6955
_STEP = -3335678366873096957  # 0xD1B54A32D192ED03
_MASK_53 = (1 << 53) - 1


def bits(seed: Tensor, t: int | Tensor, count: int) -> Tensor:
    """`count` words of 64 random bits for step `t`; shape [count], int64.

    `seed` is a 0-dimensional int64 tensor.
    """
    counter = torch.arange(1, count + 1, device=seed.device)
    start = (seed * _STREAM + t) * _STEP
    return _mix(start + counter * _GOLDEN)


def uniform_indices(seed: Tensor, t: int | Tensor, count: int, below: int) -> Tensor:
    """`count` indices in [0, below), drawn with replacement; shape [count], int64."""
    return (bits(seed, t, count) & _MASK_53) % below


def distinct_indices(seed: Tensor, t: int | Tensor, count: int, below: Tensor, most: int) -> Tensor:
    """For each entry n of `below` (int64, count ≤ n ≤ `most`), `count` different indices in
    [0, n) in random order; shape [*below.shape, count], int64."""
    keys = bits(seed, t, below.numel() * most) & _MASK_53
    keys = keys.reshape(*below.shape, most)
    outside = torch.arange(most, device=seed.device) >= below.unsqueeze(-1)
    return keys.masked_fill(outside, 1 << 53).topk(count, largest=False).indices


def normal(seed: Tensor, t: int | Tensor, count: int, dtype: torch.dtype) -> Tensor:
    """`count` standard normal numbers (Box and Muller, 1958); shape [count]."""
    drawn = uniform(seed, t, 2 * count, torch.float64)
    radius = torch.sqrt(-2.0 * torch.log(drawn[:count]))
    return (radius * torch.cos(2.0 * pi * drawn[count:])).to(dtype)


def uniform(seed: Tensor, t: int | Tensor, count: int, dtype: torch.dtype) -> Tensor:
    """`count` numbers, uniform between 0 and 1; shape [count]."""
    words = (bits(seed, t, count) & _MASK_53).to(torch.float64)
    return ((words + 0.5) / (1 << 53)).to(dtype)


def _mix(word: Tensor) -> Tensor:
    word = (word ^ _shift(word, 30)) * _MIX_1
    word = (word ^ _shift(word, 27)) * _MIX_2
    return word ^ _shift(word, 31)


def _shift(word: Tensor, places: int) -> Tensor:
    """Logical shift to the right: torch's `>>` on int64 copies the sign."""
    return (word >> places) & ((1 << (64 - places)) - 1)
