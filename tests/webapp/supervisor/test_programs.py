"""Which programs run, and that the supervisor stays light."""

import subprocess
import sys
from pathlib import Path

import pytest

from webapp.supervisor import programs


@pytest.fixture
def _nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A machine whose nvidia-smi lists two devices."""
    tool = tmp_path / "nvidia-smi"
    tool.write_text('#!/bin/sh\n[ "$1" = --query-gpu=index ] && printf "0\\n1\\n"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")


@pytest.mark.usefixtures("_nvidia_smi")
def test_each_device_has_a_worker_of_one_process():
    assert programs.gpus() == ["0", "1"]
    worker = programs.gpu_worker("1")
    assert worker.environment == {"CUDA_VISIBLE_DEVICES": "1"}
    assert worker.command[worker.command.index("--concurrency") + 1] == "1"
    assert worker.command[worker.command.index("-Q") + 1] == "gpu"


def test_without_the_tool_there_are_no_devices(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert programs.gpus() == []


def test_the_cpu_worker_has_every_core_and_no_device():
    worker = programs.cpu_worker()
    assert worker.command[worker.command.index("--concurrency") + 1] == str(programs.cores())
    assert worker.environment == {"CUDA_VISIBLE_DEVICES": ""}


def test_forecasts_have_a_worker_of_one_process_that_is_renewed():
    worker = programs.forecast_worker()
    options = dict(zip(worker.command, worker.command[1:], strict=False))
    assert (options["-Q"], options["--concurrency"], options["--pool"]) == (
        "forecast", "1", "prefork",
    )  # fmt: skip
    assert int(options["--max-tasks-per-child"]) > 0
    assert int(options["--max-memory-per-child"]) * 1024 == pytest.approx(2e9, rel=0.05)
    assert worker.restarts


def test_it_imports_neither_torch_nor_django():
    script = (
        "import webapp.supervisor.supervisor, sys; "
        "assert not {'torch', 'django'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
