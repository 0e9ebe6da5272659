"""The ten lines of `docs/api.md`, run as a script against the whole lab."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from examples.lab_client import Lab, LabError
from tests.lab_process import PROJECT_ROOT, LabProcess

BLOCKS = re.findall(
    r"```python\n(.*?)```", (PROJECT_ROOT / "docs/api.md").read_text(encoding="utf-8"), re.DOTALL
)

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def token(lab: LabProcess) -> str:
    user = lab.manage("shell", "--no-imports", "-c", FIRST_ADMIN).strip()
    return lab.manage(
        "api_token", "create", "client", "--user", user, "--scopes", "read,launch,admin"
    ).strip()


FIRST_ADMIN = "from webapp.accounts.services import ensure_admin; print(ensure_admin(name='admin'))"


def test_ten_lines_launch_a_sweep_and_load_it_as_a_data_frame(
    lab: LabProcess, token: str, tmp_path: Path
) -> None:
    (block,) = BLOCKS
    statements = [line for line in block.strip().splitlines() if line and not line.startswith(" ")]
    assert len(statements) <= 10
    environment = {
        **os.environ,
        "LAB_URL": lab.url,
        "LAB_TOKEN": token,
        "PYTHONPATH": str(PROJECT_ROOT / "examples"),
    }
    done = subprocess.run(
        [sys.executable, "-c", block + "\nprint(len(frame), sorted(frame.columns))"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    columns = ["bias_relative", "estimator", "label", "meta_loss", "run", "seed", "step", "window"]
    assert f"120 {columns}" in done.stdout
    bias = [float(rows[window][1]) for window in ("1", "5", "20")]
    assert bias[0] > bias[1] > bias[2] > 0

    client = Lab(lab.url, token)
    newest = next(client.experiments())
    runs = list(client.runs(experiment=newest["id"], size=25))
    assert {run["status"] for run in runs} == {"finished"}
    assert len(runs) == newest["run_count"] == newest["ended_count"] == 6
    reduced = client.reduced(runs[0]["id"], "meta_loss", buckets=5)
    assert sum(reduced["series"]["meta_loss"]["count"]) == 20
    assert client.figure("meta_loss", runs[0]["id"], kind="csv").startswith(b"#")
    with pytest.raises(LabError, match=r"inner\.steps: .*given: -1") as refused:
        client.launch({"inner": {"steps": -1}})
    assert refused.value.status == 422
    with pytest.raises(LabError, match="unknown, expired or revoked"):
        Lab(lab.url, "lab_nonsense").me()
