"""What a configuration is called beside others: short, and never the same for two that differ."""

from __future__ import annotations

import pytest

from tests.webapp.exports.curves import run
from webapp.exports.configurations import configurations

RATE = "outer.optimizer.learning_rate"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            [f"Unrolled, inner.steps = 5, {RATE} = 0.1", f"Unrolled, inner.steps = 9, {RATE} = 1"],
            ["Unrolled, steps = 5, learning_rate = 0.1", "Unrolled, steps = 9, learning_rate = 1"],
        ),
        (  # the last part alone would not say which
            ["Unrolled, inner.steps = 5, outer.steps = 2", f"Unrolled, {RATE} = 1"],
            ["Unrolled, inner.steps = 5, outer.steps = 2", "Unrolled, learning_rate = 1"],
        ),
        (
            ["Unrolled, steps = 5", "Unrolled, inner.steps = 5"],
            ["Unrolled, steps = 5", "Unrolled, inner.steps = 5"],
        ),
        (["Truncated, last 2", "Unrolled"], ["Truncated, last 2", "Unrolled"]),
    ],
)
def test_swept_fields_are_told_by_what_tells_them_apart(
    given: list[str], expected: list[str]
) -> None:
    groups = configurations(run(pk, label=label) for pk, label in enumerate(given, start=1))
    assert [group.label for group in groups] == expected
    assert [group.full_label for group in groups] == given
