"""The two walls of the architecture: the engine knows no web, web processes load no torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
WEB = {"django", "webapp", "celery", "channels", "ninja", "redis", "psycopg"}


def imported(module: Path) -> set[str]:
    """The top-level packages that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("module", sorted((ROOT / "engine").rglob("*.py")), ids=str)
def test_the_engine_knows_no_web(module: Path):
    assert not imported(module) & WEB


def test_importing_all_of_the_web_loads_no_torch():
    """Workers load it inside the functions that run something."""
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / "webapp").rglob("*.py"))
        if path.name not in ("__init__.py", "__main__.py") and "settings" not in path.parts
    ]
    assert len(modules) > 30
    script = "\n".join(
        [
            "import importlib, sys, django",
            "django.setup()",
            f"for name in {modules!r}:",
            "    importlib.import_module(name)",
            "    assert 'torch' not in sys.modules, name",
        ]
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
