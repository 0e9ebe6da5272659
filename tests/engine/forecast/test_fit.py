"""The lines between fits, tight and will not fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.forecast.fit import VERDICTS, fit, most, readable
from engine.forecast.records import EstimatorForecast, Machine, Work

SIZES = st.integers(0, 10**13)


def forecast_of(run_bytes: int, peak_bytes: int | None = None) -> EstimatorForecast:
    return EstimatorForecast(
        spec={"kind": "unrolled"}, label="Unrolled, full", parts={}, resident_bytes=0,
        peak_bytes=run_bytes if peak_bytes is None else peak_bytes, probe_bytes=0,
        run_bytes=run_bytes, estimate=Work(), run=Work(), probes=Work(),
    )  # fmt: skip


def machine(memory: float, device: str = "cpu") -> Machine:
    return Machine(name="here", device=device, memory_bytes=memory)


def test_the_lectures_example_on_machines_of_16_and_32_gigabytes() -> None:
    """benchmarks/README.md: 17.6 GB with every graph, 322 MB with checkpoints."""
    assert fit(forecast_of(17_600_000_000), machine(16e9)).verdict == "will not fit"
    assert fit(forecast_of(17_600_000_000), machine(24e9)).verdict == "tight"
    assert fit(forecast_of(17_600_000_000), machine(32e9)).verdict == "fits"
    assert fit(forecast_of(322_000_000), machine(16e9)).verdict == "fits"


@pytest.mark.parametrize(("live", "grown"), [(322e6, 466e6), (1117e6, 1803e6)])
def test_the_process_of_the_lectures_example_stays_below_the_line(live, grown) -> None:
    """benchmarks/README.md, 'the process grew by'."""
    assert grown <= most(forecast_of(int(live)), machine(1e9))


@given(SIZES, st.floats(1.0, 1e13), st.floats(1.0, 1e13))
def test_more_memory_is_never_worse(run_bytes, one, other) -> None:
    small, large = sorted([one, other])
    worse = fit(forecast_of(run_bytes), machine(small)).verdict
    better = fit(forecast_of(run_bytes), machine(large)).verdict
    assert VERDICTS.index(better) <= VERDICTS.index(worse)


@given(SIZES, SIZES, st.floats(1.0, 1e13))
def test_an_estimate_past_the_budget_never_fits(run_bytes, peak_bytes, budget) -> None:
    found = fit(forecast_of(run_bytes, peak_bytes), machine(1e15), budget)
    assert (found.verdict == "will not fit") == (peak_bytes > budget)
    assert found.limit == ("budget" if peak_bytes > budget else "memory")


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (999, "1.0 kB"), (83e6, "83 MB"), (0.4e9, "0.4 GB"), (17.6e9, "18 GB"),
     (1.2e12, "1.2 TB")],
)  # fmt: skip
def test_sizes_are_read_at_a_glance(size, text) -> None:
    assert readable(size) == text
