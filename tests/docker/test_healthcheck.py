"""`docker/healthcheck.py`, as the containers call it, against a running lab."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab_process import LabProcess
from webapp.supervisor.home import Home, free_port

SCRIPT = Path(__file__).resolve().parents[2] / "docker" / "healthcheck.py"


def status(*arguments: str, **environment: str) -> int:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        env={"PATH": os.environ["PATH"], "ALLOWED_HOSTS": "localhost", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode


@pytest.mark.e2e
def test_a_running_lab_is_healthy(lab: LabProcess):
    environment = Home(lab.home).environment()
    assert status("web", str(lab.port)) == 0
    assert status("worker", "cpu", **environment) == 0
    assert status("worker", "gpu", **environment) == 1


@pytest.mark.e2e
def test_a_host_that_the_lab_does_not_answer_to_is_not_healthy(lab: LabProcess):
    assert status("web", str(lab.port), ALLOWED_HOSTS="other.example") == 1


def test_what_is_not_there_is_not_healthy():
    nobody = f"postgres://lab:password@127.0.0.1:{free_port()}/lab"
    assert status("web", str(free_port())) == 1
    assert status("worker", "cpu", DATABASE_URL=nobody) == 1


def test_the_beat_is_known_by_its_schedule(tmp_path: Path):
    schedule = tmp_path / "beat-schedule"
    assert status("beat", str(schedule)) == 1
    schedule.touch()
    assert status("beat", str(schedule)) == 0
    os.utime(schedule, (0, 0))
    assert status("beat", str(schedule)) == 1
