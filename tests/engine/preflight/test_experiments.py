"""What a spec describes is tried before it runs: an installed task's mistakes become sentences."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.preflight import preflight_run, verdicts
from engine.presets import PRESETS
from engine.spec import read_text, validate
from tests.engine.preflight.broken_problems import Fit, pairwise
from tests.engine.preflight.installed import TASK, install

ROOT = Path(__file__).parents[3]
SPEC: dict[str, Any] = {
    "inner": {"steps": 4},
    "estimators": [{"kind": "unrolled"}, {"kind": "evolution", "particles": 2}],
    "outer": {"steps": 2},
    "probes": {"oracle": False},
    "device": "cpu",
}
CALLS = """
import contextlib, io, json, sys
from engine.__main__ import main
answers = []
for arguments in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(arguments)
    answers.append([status, out.getvalue(), err.getvalue()])
print(json.dumps(answers))
"""


def called(folder: Path, *calls: list[str]) -> list[tuple[int, str, str]]:
    """Status, output and errors of the command line where the faulty package is installed."""
    path = os.pathsep.join([str(ROOT), str(folder)])
    done = subprocess.run(
        [sys.executable, "-c", CALLS],
        input=json.dumps([*calls]), capture_output=True, text=True, check=True, timeout=120,
        env={**os.environ, "PYTHONPATH": path}, cwd=folder,
    )  # fmt: skip
    return [tuple(answer) for answer in json.loads(done.stdout)]


def spec(folder: Path, fault: str, *, name: str = "", **changes: Any) -> str:
    path = folder / f"{name or fault}.yaml"
    document = {**SPEC, "inner_task": {"kind": "faulty", "fault": fault}, **changes}
    path.write_text(json.dumps(document))
    return str(path)


def line(word: str) -> int:
    """Where the task's code has `word`."""
    return 1 + next(i for i, text in enumerate(TASK.splitlines()) if word in text)


def test_mistakes_of_an_installed_task_are_refused_in_sentences(tmp_path: Path) -> None:
    install(tmp_path)
    words = {
        "attention": ["a backward pass", "scaled_dot_product_flash", "SDPBackend"],
        "value": [".item()", "torch.where", "inner.program to eager"],
        "raises": [f"KeyError: 'bias' (task.py, line {line('bias')}, in training_loss)"],
        "build": [f"faulty: KeyError: 'weights' (task.py, line {line('weights')}, in __init__)"],
        "float32": ["every number in float64", "is float32"],
        "random": ["params.w has other bits"],
    }
    paths = [spec(tmp_path, fault, precision="float64") for fault in words]
    calls = [["preflight", path] for path in paths]
    calls += [["run", paths[0], "--out", "out"], ["gradient", paths[0], "--json"]]
    answers = called(tmp_path, *calls)
    for (fault, expected), (status, out, _) in zip(words.items(), answers, strict=False):
        assert status == 2, fault
        assert "Traceback" not in out
        for word in expected:
            assert word in out
    for status, out, err in answers[len(words) :]:
        assert (status, out) == (2, "")
        assert err.startswith("estimators.0: ")
        assert all(word in err for word in words["attention"])
        assert "estimators.1" not in err
    assert not (tmp_path / "out" / "events.jsonl").exists()


def test_a_step_that_cannot_be_recorded_runs_as_it_is_written(tmp_path: Path) -> None:
    install(tmp_path)
    inner = {"steps": 4, "program": "eager"}
    alone = {"kind": "evolution", "particles": 2, "chunk": 1}
    unrolled = SPEC["estimators"][0]
    every = spec(tmp_path, "value", inner=inner, estimators=[*SPEC["estimators"], alone])
    outer = {"steps": 2, "meta_batch": 2}
    sound = spec(
        tmp_path, "value", name="sound", inner=inner, outer=outer, estimators=[unrolled, alone]
    )
    [(status, out, _), run] = called(
        tmp_path, ["preflight", every, "--json"], ["run", sound, "--out", "out"]
    )
    assert run == (0, "", "")
    unrolled, together, one_by_one = json.loads(out)["estimators"]
    assert status == 2
    assert (unrolled["ready"], together["ready"], one_by_one["ready"]) == (True, False, True)
    [obstacle] = together["obstacles"]
    assert obstacle["operation"] == ".item() or if"
    assert "set chunk to 1" in obstacle["cure"]


def test_what_only_a_swept_value_breaks_fails_that_run_alone(tmp_path: Path) -> None:
    install(tmp_path)
    sweep = {"inner_task.fault": ["none", "attention", "build"]}
    path = spec(tmp_path, "none", sweep=sweep, estimators=SPEC["estimators"][:1])
    document, run = called(tmp_path, ["preflight", path, "--json"], ["run", path, "--out", "out"])
    assert document[0] == 0
    [row] = json.loads(document[1])["estimators"]
    assert (row["spec"]["kind"], row["ready"], row["obstacles"]) == ("unrolled", True, [])
    assert run[0] == 1
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())["runs"]
    assert [item["status"] for item in summary] == ["finished", "failed", "failed"]
    assert summary[1]["reason"].startswith("Refused before the first step. A backward pass")
    assert "KeyError: 'weights'" in summary[2]["reason"]
    events = [json.loads(line) for line in (tmp_path / "out/events.jsonl").read_text().splitlines()]
    assert [e["type"] for e in events if e["run"] == 2] == ["started", "finished"]


@pytest.mark.parametrize(
    "preset", [p for p in PRESETS if "fashion" not in p.text], ids=lambda preset: preset.slug
)
def test_presets_are_ready(preset) -> None:
    assert [
        verdict.obstacles for verdict in verdicts(read_text(preset.text)) if verdict.obstacles
    ] == []


def test_the_oracle_is_tried_where_the_estimator_does_not_need_it() -> None:
    """An evolution strategy needs no derivative, but its bias is measured against one."""
    document = {**SPEC, "estimators": [{"kind": "evolution"}], "probes": {"oracle": True}}
    [obstacle] = preflight_run(validate(document), Fit(pairwise))
    assert obstacle.need.startswith("the oracle (a backward pass")
    assert obstacle.operation == "_pdist_backward"
    assert obstacle.cure == "set probes.oracle to false"
    assert preflight_run(validate({**document, "probes": {"oracle": False}}), Fit(pairwise)) == []
    search = {**document, "estimators": [{"kind": "elites"}]}
    assert preflight_run(validate(search), Fit(pairwise)) == []
