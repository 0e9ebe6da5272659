"""How long each slice of an online truncated unroll is, as an object of its own.

    fixed     K, always
    random    log-uniform on K … L (as the unroll lengths of Metz et al., 2022): short slices are
              the most frequent, long ones keep the bias to short horizons down
    growing   K in the first inner loop, twice as long in each one after it, up to L: many cheap
              updates first, a small bias later

A length depends on its arguments alone, so that a run can stop and go on anywhere.
"""

from typing import Protocol

import torch

from engine.population import generator


class TruncationSchedule(Protocol):
    """Built as `Schedule(shortest=K, longest=L)`, in inner steps."""

    def length(self, *, seed: int, index: int, finished_loops: int) -> int:
        """Steps of slice `index`, counted from 0 over all inner loops, `finished_loops` of which
        came to their end before it."""


class Fixed:
    def __init__(self, *, shortest: int, longest: int) -> None:
        self.shortest = shortest

    def length(self, *, seed: int, index: int, finished_loops: int) -> int:
        return self.shortest


class Random:
    """P(n) = log((n + 1) / n) / log((L + 1) / K)."""

    def __init__(self, *, shortest: int, longest: int) -> None:
        self.shortest, self.longest = shortest, longest

    def length(self, *, seed: int, index: int, finished_loops: int) -> int:
        uniform = torch.rand((), generator=generator(seed, index), dtype=torch.float64).item()
        drawn = int(self.shortest * ((self.longest + 1) / self.shortest) ** uniform)
        return min(drawn, self.longest)


class Growing:
    def __init__(self, *, shortest: int, longest: int) -> None:
        self.shortest, self.longest = shortest, longest

    def length(self, *, seed: int, index: int, finished_loops: int) -> int:
        return min(self.shortest << min(finished_loops, self.longest.bit_length()), self.longest)


SCHEDULES: dict[str, type[TruncationSchedule]] = {
    "fixed": Fixed,
    "random": Random,
    "growing": Growing,
}
