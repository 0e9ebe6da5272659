"""Forecast peaks of what goes by particles, tangents and proposals."""

from __future__ import annotations

import pytest

from tests.engine.forecast.test_peaks import SAMPLED, _name, check


@pytest.mark.parametrize("case", SAMPLED, ids=_name)
def test_the_peak_of_particles_and_proposals(case) -> None:
    check(case, within=0.02)
