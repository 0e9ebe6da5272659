"""The engine's spec needs no torch: forms, checks and documents are quick to have."""

import subprocess
import sys

BLOCKED = """
import importlib, pkgutil, sys
sys.modules["torch"] = None
for name in ("engine.spec", "engine.presets"):
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        importlib.import_module(module.name)
import engine.events
"""


def test_the_spec_and_the_presets_are_free_of_torch() -> None:
    done = subprocess.run([sys.executable, "-c", BLOCKED], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
