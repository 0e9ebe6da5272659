"""What web processes read of forecasts works where torch cannot be imported."""

import subprocess
import sys

PROGRAM = """
import sys
sys.modules["torch"] = None
import engine.forecast.corrections, engine.forecast.seconds, engine.forecast.fit
import engine.forecast.fixes, engine.forecast.largest, engine.forecast.records
from engine.forecast.corrections import expected_ratio, group_of
assert expected_ratio([], group_of({"kind": "quadratic"}, "unrolled")).factor == 1.0
"""


def test_records_time_fit_and_fixes_are_free_of_torch() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
