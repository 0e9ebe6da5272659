"""Peak bytes of live tensors, against sizes that are known."""

import torch

from engine import estimate
from engine.probes.memory import PeakBytes
from tests.engine.problems import quadratic

CPU = torch.device("cpu")


def test_a_peak_is_what_was_alive_together() -> None:
    with PeakBytes(CPU) as peak:
        first, second = torch.zeros(1000), torch.zeros(1000)
        del first, second
        torch.zeros(500)
    assert peak.bytes == 8000


def test_views_and_changes_in_place_are_not_counted_again() -> None:
    outside = torch.zeros(1000)
    with PeakBytes(CPU) as peak:
        outside.add_(1.0)
        view = outside[10:].reshape(-1, 10)
        mine = torch.zeros(100)
        mine.mul_(2.0)
    assert view.shape == (99, 10)
    assert peak.bytes == 400


def test_tensors_saved_in_a_graph_are_counted() -> None:
    weight = torch.randn(100, 100, requires_grad=True)

    def peak_of(layers: int) -> int:
        with PeakBytes(CPU) as peak:
            x = torch.zeros(100, 100)
            for _ in range(layers):
                x = torch.tanh(x @ weight)
            torch.autograd.grad(x.sum(), weight)
        return peak.bytes

    assert peak_of(20) - peak_of(10) == 10 * 40_000


def test_memory_grows_with_the_horizon_for_full_storage_only() -> None:
    def peak_of(spec: dict, steps: int) -> int:
        problem = quadratic(dimension=1000, steps=steps)
        return estimate(problem, spec, problem.initial_meta(0)).cost.peak_bytes

    full = {"kind": "unrolled", "storage": "full"}
    checkpointed = {"kind": "unrolled", "storage": "checkpoint"}
    forward = {"kind": "forward_mode"}
    assert 3.5 < peak_of(full, 400) / peak_of(full, 100) < 4.5
    assert 1.5 < peak_of(checkpointed, 400) / peak_of(checkpointed, 100) < 2.5
    assert peak_of(forward, 400) == peak_of(forward, 100)
