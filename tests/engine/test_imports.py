"""The engine stands alone: it needs neither Django nor the web, and its spec not even torch."""

import subprocess
import sys

BLOCKED = """
import pkgutil, importlib, sys
for name in {blocked}:
    sys.modules[name] = None
for name in {imported}:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
import engine.events
"""


def imports(imported: list[str], blocked: list[str]) -> subprocess.CompletedProcess[str]:
    program = BLOCKED.format(imported=imported, blocked=blocked)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_the_engine_never_imports_the_web() -> None:
    done = imports(["engine"], blocked=["django", "channels", "celery", "redis", "webapp"])
    assert done.returncode == 0, done.stderr


def test_the_spec_and_the_presets_are_free_of_torch() -> None:
    done = imports(["engine.spec", "engine.presets"], blocked=["torch"])
    assert done.returncode == 0, done.stderr
