"""docs/extending.md, followed to the letter: its package adds a task, a meta-parameter and an
estimator from outside, and a spec with all three gives the gradients that can be had by hand."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text()
FILES = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))
[ENTRY_POINTS] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
[SPEC] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder like site-packages, with the page's package and its spec."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "aiming").mkdir()
    (folder / "aiming" / "__init__.py").write_text("")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    metadata = folder / "aiming-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: aiming\nVersion: 1.0\n")
    groups = tomllib.loads(ENTRY_POINTS)["project"]["entry-points"]
    (metadata / "entry_points.txt").write_text(
        "\n".join(
            f"[{group}]\n" + "\n".join(f"{name} = {where}" for name, where in points.items())
            for group, points in groups.items()
        )
    )
    (folder / "spec.yaml").write_text(SPEC)
    return folder


def engine(installed: Path, *arguments: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-m", "engine", *arguments, "--json"],
        capture_output=True, text=True, check=False, timeout=120, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(installed)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_takes_fewer_than_forty_lines() -> None:
    lines = [line.strip() for text in FILES.values() for line in text.splitlines()]
    code = [line for line in lines if line and not line.startswith(("import ", "from ", '"""'))]
    assert len(code) < 40


def test_the_gradients_are_those_by_hand(installed: Path) -> None:
    document = engine(installed, "gradient", str(installed / "spec.yaml"))
    reached = 1.0 - 0.9**3
    w = reached * 3.5
    at_once, unrolled, implicit = document["estimators"]
    assert at_once["meta_loss"] == pytest.approx((w - 1.0) ** 2, rel=1e-12)
    exact = 2.0 * (w - 1.0) * reached
    assert at_once["gradient"]["shift"] == pytest.approx(exact, rel=1e-12)
    assert unrolled["gradient"]["shift"] == pytest.approx(exact, rel=1e-12)
    assert implicit["gradient"]["shift"] == pytest.approx(2.0 * (w - 1.0), rel=1e-12)


def test_the_support_matrix_and_preflight_know_them(installed: Path) -> None:
    cells = {
        (cell["inner_task"], cell["meta_parameter"], cell["estimator"]): cell
        for cell in engine(installed, "support")["support"]
    }
    assert cells["target", "shift", "at_once"]["allowed"]
    assert cells["target", "shift", "implicit"]["allowed"]
    [reason] = cells["target", "shift", "reptile"]["reasons"]
    assert "it follows the initial parameters only" in reason
    ready = engine(installed, "preflight", str(installed / "spec.yaml"))["estimators"]
    assert [row["ready"] for row in ready] == [True, True, True]
