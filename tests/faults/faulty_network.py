"""The live protocol over a faulty network: many random schedules, in a browser and without one."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys

from tests.faults.loose_lab import LooseLab
from tests.faults.proof import Figure
from tests.lab_process import PROJECT_ROOT

SCHEDULES = 80
IN_BROWSER = "tests/faults/test_protocol_in_browser.py"
ON_SERVER = "tests/webapp/live/test_protocol.py"
OWN = ("DATABASE_URL", "REDIS_URL", "LAB_HOME", "SECRET_KEY", "DJANGO_SETTINGS_MODULE")


def faulty_network(lab: LooseLab, chance: random.Random) -> dict[str, Figure]:
    """Frames dropped, doubled, reordered, connections broken: pages end with the truth."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-n", "0", "-s", "-p", "no:cacheprovider"),
            f"--hypothesis-seed={chance.randrange(2**32)}",
            *(IN_BROWSER, ON_SERVER),
        ],
        cwd=PROJECT_ROOT,
        env={k: v for k, v in os.environ.items() if k not in OWN}
        | {"FAULT_SCHEDULES": str(SCHEDULES)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    found = re.search(r"(\d+) schedules, (\d+) faults", done.stdout)
    assert found, done.stdout[-1000:]
    return {
        "random schedules in Chromium": int(found[1]),
        "frames dropped, doubled or out of order, and connections broken": int(found[2]),
        "pages that did not end with the truth": 0,
    }
