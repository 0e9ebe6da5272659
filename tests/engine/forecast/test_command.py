"""`python -m engine forecast`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.__main__ import main

SPEC = """
inner_task: {kind: toy_regression}
inner: {steps: 40}
meta_parameters: [{kind: learning_rate, initial: 0.01}]
estimators: [{kind: unrolled}, {kind: evolution, particles: 4}]
sweep: {"inner.steps": [10, 20]}
seeds: [0, 1]
budget: {bytes: 10}
device: cpu
"""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("MLAB_DATA", str(tmp_path / "data"))
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC)
    return path


def test_one_document_in_the_order_of_the_spec(spec: Path, capsys) -> None:
    assert main(["forecast", str(spec), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    unrolled, evolution = document["estimators"]
    assert [unrolled["spec"]["kind"], evolution["spec"]["kind"]] == ["unrolled", "evolution"]
    for row in (unrolled, evolution):
        assert sum(row["parts"].values()) == row["peak_bytes"]
        assert 0.0 < row["seconds_low"] < row["seconds"] < row["seconds_high"]
    # The spec's own values: 50 outer steps of 4 particles and 40 inner steps.
    assert evolution["inner_steps"] == 50 * 4 * 40
    assert not unrolled["fits"]


def test_a_table_for_people(spec: Path, capsys) -> None:
    spec.write_text(SPEC.replace("budget: {bytes: 10}", ""))
    assert main(["forecast", str(spec)]) == 0
    text = capsys.readouterr().out
    assert "Evolution, 4 particles" in text
    assert "fits" in text
    # The rates of the machine are measured once.
    assert list((spec.parent / "data" / "rates").glob("*.json"))


def test_a_bad_spec_ends_with_2_and_its_field(spec: Path, capsys) -> None:
    spec.write_text(SPEC + "precison: float64\n")
    assert main(["forecast", str(spec), "--json"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "precison" in told.err
