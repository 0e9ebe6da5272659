"""The support matrix: nothing is written down twice, and its page is up to date."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from engine.command_line.support import support_page
from engine.spec.installed import ESTIMATORS, INNER_TASKS, META_PARAMETERS
from engine.support import obstacles, support, support_matrix

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "support-matrix.md"


def test_every_part_has_a_use() -> None:
    allowed = [cell for cell in support_matrix() if cell.allowed]
    assert {cell.inner_task for cell in allowed} == INNER_TASKS.keys()
    assert {cell.meta_parameter for cell in allowed} == META_PARAMETERS.keys()
    assert {cell.estimator for cell in allowed} == ESTIMATORS.keys()


def test_reasons_are_those_of_the_spec() -> None:
    assert support("quadratic", "weight_decay", "implicit").allowed
    assert support("quadratic", "initialisation", "implicit").document["inner"]["proximal"] > 0.0
    [reason] = support("quadratic", "learning_rate", "implicit").reasons
    assert "its implicit gradient is zero" in reason
    nowhere = support("quadratic", "drive", "unrolled")
    assert nowhere.whole_row
    assert "only an inner task that reads it" in nowhere.reasons[0]


def test_the_page_is_up_to_date() -> None:
    told = "make it anew: python -m engine support > docs/support-matrix.md"
    assert PAGE.read_text() == support_page(), told


def test_the_command_prints_both_forms_without_torch() -> None:
    script = (
        "import sys; from engine.__main__ import main; "
        "main(['support', '--json']); assert 'torch' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    cells = json.loads(done.stdout)["support"]
    assert len(cells) == len(INNER_TASKS) * len(META_PARAMETERS) * len(ESTIMATORS)
    assert all(cell["allowed"] == (not cell["reasons"]) for cell in cells)


DOCUMENT = {
    "inner_task": {"kind": "image_mlp"},
    "inner": {"steps": 5, "optimizer": {"kind": "momentum"}},
    "meta_parameters": [{"kind": "momentum"}],
    "estimators": [{"kind": "unrolled"}],
}


def test_obstacles_are_what_the_rest_of_a_document_refuses() -> None:
    added = obstacles(DOCUMENT, "estimators", ESTIMATORS)
    assert "it follows the initial parameters only" in added["reptile"]
    # A window of 10 is longer than the inner loop, and can be set right.
    assert "truncated" not in added
    changed = obstacles(DOCUMENT, "inner_task", INNER_TASKS)
    assert "moves by itself" in changed["influence_balancing"]
    assert "image_cnn" not in changed
    assert (
        "inner.optimizer.kind is 'momentum'"
        in obstacles(DOCUMENT, "inner.optimizer", ["sgd"])["sgd"]
    )
    learned = obstacles(DOCUMENT, "meta_parameters", ["momentum", "weight_decay"])
    assert learned == {"momentum": "each kind of meta-parameter may appear once"}
    assert "momentum" not in obstacles(DOCUMENT, "meta_parameters.0", ["learning_rate"])


def test_what_is_wrong_already_is_no_obstacle() -> None:
    wrong = {**DOCUMENT, "inner": {"steps": 0, "optimizer": {"kind": "momentum"}}}
    assert obstacles(wrong, "estimators", ["unrolled", "evolution"]) == {}


def test_all_kinds_take_less_than_fifty_milliseconds() -> None:
    places = {
        "inner_task": INNER_TASKS,
        "meta_parameters": META_PARAMETERS,
        "estimators": ESTIMATORS,
    }
    seconds = []
    for _ in range(5):
        started = time.process_time()
        for place, kinds in places.items():
            obstacles(DOCUMENT, place, kinds)
        seconds.append(time.process_time() - started)
    assert min(seconds) < 0.05
