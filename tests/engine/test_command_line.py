"""The command line, as scripts use it."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import pytest

from engine.__main__ import main
from engine.presets import PRESETS
from engine.spec.installed import ESTIMATORS, INNER_TASKS, META_PARAMETERS

SPEC = """
name: small
inner_task: {kind: quadratic, dimension: 4}
inner: {steps: 10}
estimators: [{kind: unrolled}, {kind: truncated, window: 2}, {kind: evolution}, {kind: elites}]
outer: {steps: 3}
precision: float64
"""


def engine(*arguments: object) -> subprocess.CompletedProcess:
    """In a process of its own, as a script has it."""
    return subprocess.run(
        [sys.executable, "-m", "engine", *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


Called = Callable[..., tuple[int, str, str]]


@pytest.fixture
def called(capsys) -> Called:
    """Status, output and errors of a call in this process, which has torch already."""

    def call(*arguments: object) -> tuple[int, str, str]:
        status = main([*map(str, arguments)])
        return status, *capsys.readouterr()

    return call


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC)
    return path


def test_gradient_prints_one_document(spec) -> None:
    done = engine("gradient", spec, "--json")
    assert done.returncode == 0
    document = json.loads(done.stdout)
    unrolled, truncated, evolution, elites = document["estimators"]
    assert document["oracle"]["closed_form"] is True
    assert unrolled["bias_relative"] < 1e-12
    assert unrolled["gradient"] == pytest.approx(document["oracle"]["gradient"], rel=1e-9)
    assert truncated["bias_relative"] > 0.1
    assert evolution["variance_relative"] > 0.0
    assert elites["bias_relative"] is None
    for row in document["estimators"]:
        assert {"spec", "meta_loss", "bias_relative", "cosine", "variance_relative", "peak_bytes",
                "seconds", "health"} <= row.keys()  # fmt: skip


def test_run_writes_events_and_a_summary(called: Called, spec, tmp_path) -> None:
    out = tmp_path / "out"
    status, printed, _ = called("run", spec, "--out", out)
    assert (status, printed) == (0, "")
    events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    assert [e["type"] for e in events].count("point") == 4 * 3
    summary = json.loads((out / "summary.json").read_text())
    assert [item["status"] for item in summary["runs"]] == ["finished"] * 4


def test_an_interrupted_run_goes_on_where_it_stopped(spec, tmp_path, monkeypatch) -> None:
    from engine import runner
    from engine.command_line import run as command
    from engine.events import MEASURED_SERIES

    def points(folder) -> list[tuple]:
        lines = map(json.loads, (folder / "events.jsonl").read_text().splitlines())
        return [
            (
                e["run"],
                e["step"],
                {k: v for k, v in e["values"].items() if k not in MEASURED_SERIES},
            )
            for e in lines
            if e["type"] == "point"
        ]

    monkeypatch.setattr(command, "run", partial(runner.run, checkpoint_seconds=0.0))
    command.run_to_folder(spec, tmp_path / "whole", resume=False)

    measure, calls = runner._measure, []

    def measure_until_interrupted(*arguments):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return measure(*arguments)

    monkeypatch.setattr(runner, "_measure", measure_until_interrupted)
    with pytest.raises(KeyboardInterrupt):
        command.run_to_folder(spec, tmp_path / "parts", resume=False)
    command.run_to_folder(spec, tmp_path / "parts", resume=True)
    assert points(tmp_path / "parts") == points(tmp_path / "whole")
    summary = json.loads((tmp_path / "parts" / "summary.json").read_text())
    assert [item["status"] for item in summary["runs"]] == ["finished"] * 4


def test_a_bad_spec_is_status_2_with_the_field(called: Called, tmp_path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text("inner: {steps: 0}\nfoo: 1")
    for command in ("run", "gradient"):
        status, printed, said = called(command, path)
        assert (status, printed) == (2, "")
        assert "inner.steps: " in said
        assert "foo: unknown field" in said


def test_a_missing_file_is_status_2(tmp_path) -> None:
    done = engine("run", tmp_path / "none.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "No such file" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_failed_run_is_status_1(called: Called, tmp_path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(
        "inner_task: {kind: quadratic}\n"
        "inner: {steps: 400, optimizer: {kind: sgd, learning_rate: 40.0}}"
    )
    status, _, said = called("run", path, "--out", tmp_path / "out")
    assert status == 1
    assert "diverged" in said


def test_list_names_every_part(called: Called) -> None:
    document = json.loads(called("list", "--json")[1])
    kinds = {
        section: [e.get("kind", e.get("slug")) for e in es] for section, es in document.items()
    }
    assert [*kinds["estimators"], *kinds["searches"]] == list(ESTIMATORS)
    assert {"unrolled", "implicit", "reinforce"} <= set(kinds["estimators"])
    assert {"elites", "population_based"} <= set(kinds["searches"])
    assert kinds["inner_tasks"] == list(INNER_TASKS)
    assert kinds["meta_parameters"] == list(META_PARAMETERS)
    assert kinds["presets"] == [preset.slug for preset in PRESETS]
