"""Axes over configurations: every value has a place, zero too, and reads as people write it."""

from hypothesis import given
from hypothesis import strategies as st

from webapp.compare.scales import scale

values = st.lists(st.just(0.0) | st.floats(1e-12, 1e12), min_size=1, max_size=8)


@given(values, st.booleans())
def test_every_value_has_a_place_between_the_ends(known: list[float], log: bool) -> None:
    found = scale("bias", known, log=log)
    low, high = found.axis.ends
    assert all(low <= found.place(value) <= high for value in known)
    assert all(low <= tick <= high for tick in found.axis.ticks)
    assert len(found.axis.ticks) == len(found.axis.labels)
    if found.axis.log:
        assert low > 0


def test_zero_stands_below_the_least_positive_value_and_is_labelled() -> None:
    found = scale("bias", [0.0, 0.02, 0.5], log=True)
    assert (found.zero, found.place(0.0), found.place(0.5)) == (1e-3, 1e-3, 0.5)
    assert found.axis.labels[0] == "0"


def test_without_a_positive_value_the_axis_is_linear() -> None:
    found = scale("variance", [0.0, 0.0], log=True)
    assert (found.axis.log, found.zero) == (False, None)
    assert found.axis.labels[0] == "0"


def test_a_linear_axis_goes_below_zero() -> None:
    assert {"−0.5", "0", "0.5"} <= set(scale("cosine", [-0.6, 0.9], log=False).axis.labels)


def test_sizes_are_labelled_with_their_unit() -> None:
    assert "2 MB" in scale("memory", [2e6, 3e6], unit="B", log=True).axis.labels
