"""The ten lines of `docs/api.md`, run as a script against the whole lab."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

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


def test_what_is_too_large_is_refused_while_it_arrives(lab: LabProcess, token: str) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(6):
            yield b" " * 2**20

    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for body in (b" " * 5 * 2**20, endless()):
        with httpx.Client() as client:
            answer = client.post(f"{lab.url}/api/v1/experiments", content=body, headers=headers)
        assert answer.status_code == 413

    with httpx.Client() as client:
        client.get(lab.new_sign_in_link())
        cookie = f"sessionid={client.cookies['sessionid']}"
    address = lab.url.replace("http", "ws") + "/ws/runs/"
    headers = {"Cookie": cookie, "Origin": lab.url}
    with connect(address, additional_headers=headers) as socket:
        socket.send("x" * 100_000)
        assert "at most 64 KB" in socket.recv(timeout=20)
        socket.send("x" * 300_000)
        with pytest.raises(ConnectionClosed) as closed:
            list(socket)
    assert closed.value.rcvd.code == 1009


def test_a_websocket_of_a_visitor_or_of_another_site_is_refused(lab: LabProcess) -> None:
    address = lab.url.replace("http", "ws") + "/ws/runs/"
    for origin in (lab.url, "https://evil.example", None):
        headers = {"Origin": origin} if origin else {}
        with (
            pytest.raises(InvalidStatus) as refused,
            connect(address, additional_headers=headers),
        ):
            pass
        assert refused.value.response.status_code == 403
        assert "Set-Cookie" not in refused.value.response.headers
