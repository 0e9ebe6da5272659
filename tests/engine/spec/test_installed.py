"""Parts of installed packages: the sound ones are offered, the others left out and named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from engine.spec.inner_tasks import BUILT_IN, Quadratic
from engine.spec.installed import GROUPS, META_PARAMETERS, with_plug_ins
from engine.spec.soundness import check_estimator, check_inner_task, check_meta_parameter

ROOT = Path(__file__).parents[3]
GROUP = GROUPS["inner_tasks"]
HEAD = """
from typing import ClassVar, Literal
from engine.spec.inner_tasks import ImageTask, InnerTask, Shapes
from engine.spec.options import Options, option
"""
SOUND = '''
class Valley(InnerTask):
    """A narrow valley."""

    title: ClassVar[str] = "A narrow valley"
    implementation: ClassVar[str] = "valley.task:ValleyTask"

    kind: Literal["valley"] = "valley"
    width: float = option(0.5, gt=0.0, le=10.0)
    """How wide the valley is."""
    bends: int | None = option(None, ge=1, le=9)
    """How often it bends; nothing means never."""

    def parameter_shapes(self) -> Shapes:
        return {"w": (2,)}
'''
SYSTEM = """
    has_inner_loss: ClassVar[bool] = False
    reads: ClassVar[tuple[str, ...]] = ("drive", "wind")
"""
TASK = """
import torch

class ValleyTask:
    def __init__(self, options, *, device, dtype):
        self.curvature = torch.tensor([1.0, options.width]).to(device, dtype)

    def initial_params(self, seed):
        return {"w": torch.ones_like(self.curvature)}

    def batch(self, seed, t):
        return None

    def training_loss(self, params, batch):
        return 0.5 * (self.curvature * params["w"] ** 2).sum()

    def whole_batch(self, seed):
        return None

    def validation_loss(self, params, seed):
        return 0.5 * (params["w"] ** 2).sum()
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder like site-packages, with one sound distribution and one broken one."""
    package = tmp_path / "valley"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "options.py").write_text(HEAD + SOUND)
    (package / "task.py").write_text(TASK)
    (tmp_path / "broken.py").write_text("raise OSError('no licence found')")
    for name, entry in {"valley": "valley.options:Valley", "broken": "broken:Task"}.items():
        metadata = tmp_path / f"{name}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {entry}\n")
    return tmp_path


def python(installed: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=120, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(installed)},
    )  # fmt: skip


def test_the_command_line_lists_an_installed_task_and_names_a_broken_one(installed: Path) -> None:
    done = python(installed, "-m", "engine", "list", "--json")
    tasks = {entry["kind"]: entry for entry in json.loads(done.stdout)["inner_tasks"]}
    assert tasks["valley"]["title"] == "A narrow valley"
    assert "broken" not in tasks
    assert "'broken' (broken:Task) is left out: no licence found" in done.stderr


def test_an_installed_task_has_its_meta_gradient(installed: Path, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "inner_task: {kind: valley, width: 0.25}\n"
        "inner: {steps: 1, optimizer: {kind: sgd, learning_rate: 0.1}}\n"
        "precision: float64\n"
    )
    done = python(installed, "-m", "engine", "gradient", spec, "--json")
    assert done.returncode == 0, done.stderr
    [row] = json.loads(done.stdout)["estimators"]
    by_hand = -sum((1.0 - 0.1 * h) * h for h in (1.0, 0.25))
    assert row["gradient"]["learning_rate"] == pytest.approx(by_hand, rel=1e-12)


FORM = """
import valley.options  # a package's own tests import it before the lab
import sys
from webapp.experiments.form import build_form
form = build_form({"inner_task": {"kind": "valley"}})
[union] = [part for part in form.step("inner-task").parts if part.path == "inner_task"]
[choice] = [choice for choice in union.choices if choice.kind == "valley"]
assert (choice.title, choice.group) == ("A narrow valley", "From the package valley")
assert [leaf.path for leaf in union.parts] == ["inner_task.width", "inner_task.bends"]
assert "torch" not in sys.modules
"""


def test_the_form_offers_an_installed_task_without_torch(installed: Path) -> None:
    done = python(installed, "-c", FORM)
    assert done.returncode == 0, done.stderr


def test_a_missing_implementation_is_named(installed: Path, tmp_path: Path) -> None:
    (installed / "valley" / "task.py").write_text("import a_library_that_nobody_has")
    spec = tmp_path / "spec.yaml"
    spec.write_text("inner_task: {kind: valley}")
    done = python(installed, "-m", "engine", "gradient", spec)
    assert done.returncode == 2
    assert (
        "inner_task.kind: the implementation of 'valley', valley.task:ValleyTask, " in done.stderr
    )
    assert "a_library_that_nobody_has" in done.stderr
    assert "Traceback" not in done.stderr


def load(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, name: str = "Valley") -> dict:
    """What `with_plug_ins` makes of a module with `text`."""
    (folder / "plugged.py").write_text(HEAD + text)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "plugged", raising=False)
    point = EntryPoint("mine", f"plugged:{name}", GROUP)
    return with_plug_ins(BUILT_IN, [point], check, "inner task")


def check(model: type) -> None:
    check_inner_task(model, list(META_PARAMETERS))


def test_a_sound_task_comes_after_the_labs_own(tmp_path, monkeypatch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tasks = load(tmp_path, monkeypatch, SOUND)
    assert list(tasks) == [*(model.model_fields["kind"].default for model in BUILT_IN), "valley"]
    assert tasks["quadratic"] is Quadratic


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("class Valley(InnerTask)", "class Valley(Options)", "not a subclass of"),
        ("class Valley", "class Valey", "has no attribute 'Valley'"),
        ('"valley"] = "valley"', '"quadratic"] = "quadratic"', "'quadratic' is taken by engine"),
        ('Literal["valley"]', "str", "kind: Literal['my_kind'] = 'my_kind'"),
        ('"valley"] = "valley"', '"My-Task"] = "My-Task"', "not in lower_case_words"),
        ('    """A narrow valley."""', "", "it has no docstring"),
        ('    title: ClassVar[str] = "A narrow valley"\n', "", "its title is not a text"),
        ("valley.task:ValleyTask", "valley.task", "not of the form package.module:Class"),
        ("option(0.5, gt", "option(gt", "the field 'width' has no default"),
        ("width: float", "width: bytes | float", "the field 'width' is bytes | float; allowed"),
        ("width: float", "width: complex", "the field 'width' is <class 'complex'>; allowed"),
        ("return {", "return {} and {", "parameter_shapes() is {}"),
        ('{"w": (2,)}', '{"w": 2}', "parameter_shapes() is {'w': 2}"),
        ('return {"w": (2,)}', "raise KeyError('no shape')", "no shape"),
        ("    kind:", "    has_inner_loss: ClassVar[bool] = False\n    kind:", "nothing can learn"),
        ("    kind:", SYSTEM + "    kind:", "it reads wind; allowed: learning_rate, "),
        ("    kind:", '    model_config = {"strict": False}\n    kind:', "loosens strict"),
        ("option(0.5", "option(50.0", "less than or equal to 10"),
        ("class Valley", "syntax error\nclass Valley", "invalid syntax"),
    ],
)
def test_a_broken_task_is_left_out_with_the_reason(
    tmp_path, monkeypatch, before: str, after: str, reason: str
) -> None:
    assert before in SOUND
    with pytest.warns(RuntimeWarning) as told:
        tasks = load(tmp_path, monkeypatch, SOUND.replace(before, after, 1))
    assert len(tasks) == len(BUILT_IN)
    [warning] = told
    assert "the inner task 'mine' (plugged:Valley) is left out: " in str(warning.message)
    assert reason in str(warning.message)


def test_of_two_packages_with_one_kind_the_second_is_left_out(tmp_path, monkeypatch) -> None:
    (tmp_path / "plugged.py").write_text(HEAD + SOUND)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "plugged", raising=False)
    points = [EntryPoint(name, "plugged:Valley", GROUP) for name in ("b", "a")]
    with pytest.warns(RuntimeWarning, match=r"'b' .* the kind 'valley' is taken by plugged"):
        assert "valley" in with_plug_ins(BUILT_IN, points, check, "inner task")


def test_options_that_import_torch_are_left_out(installed: Path) -> None:
    """Where torch is not loaded yet, as in a web process."""
    options = installed / "valley" / "options.py"
    options.write_text("import torch\n" + options.read_text())
    done = python(installed, "-m", "engine", "list", "--json")
    assert "valley" not in {e["kind"] for e in json.loads(done.stdout)["inner_tasks"]}
    assert "its options import torch; only its implementation may" in done.stderr


META_PARAMETER = """
from engine.spec.meta_parameters import MetaParameter

class Valley(MetaParameter):
    \"\"\"What makes it narrow.\"\"\"

    title: ClassVar[str] = "Walls"
    implementation: ClassVar[str] = "valley.walls:Walls"
    slot: ClassVar[str] = "regularizer"
    in_inner_loss: ClassVar[bool] = True
    kind: Literal["walls"] = "walls"

    def entries(self, experiment):
        return 2
"""
ESTIMATOR = """
from engine.spec.estimator import Estimator

class Valley(Estimator):
    \"\"\"Looks down.\"\"\"

    title: ClassVar[str] = "Looking down"
    implementation: ClassVar[str] = "valley.down:Down"
    exact: ClassVar[bool] = True
    lengths: ClassVar[tuple[str, ...]] = ("steps",)
    kind: Literal["down"] = "down"
    steps: int = option(3, ge=1, le=9)

    @property
    def needs(self):
        return ("adjoint",)
"""


@pytest.mark.parametrize(
    ("text", "before", "after", "reason"),
    [
        (META_PARAMETER, "", "", ""),
        (META_PARAMETER, "(MetaParameter)", "(Options)", "not a subclass of"),
        (META_PARAMETER, '"regularizer"', '"roof"', "its slot is 'roof'; allowed: initial param"),
        (META_PARAMETER, "def entries", "def entrys", "no method entries(experiment)"),
        (META_PARAMETER, "bool] = True", "bool] = False", "outside_inner_loss must say why"),
        (ESTIMATOR, "", "", ""),
        (ESTIMATOR, "(Estimator)", "(InnerTask)", "not a subclass of"),
        (ESTIMATOR, "bool] = True", "str] = 'yes'", "its exact is 'yes'; allowed: True or False"),
        (ESTIMATOR, '("steps",)', '("stride",)', "its lengths name stride, which is no field"),
        (ESTIMATOR, '("adjoint",)', '("luck",)', "it needs luck; allowed: start, loss_gradient"),
        (ESTIMATOR, '"valley.down:Down"', "None", "its implementation is not a text"),
    ],
)
def test_meta_parameters_and_estimators_are_checked_too(
    tmp_path, monkeypatch, text: str, before: str, after: str, reason: str
) -> None:
    assert before in text
    (tmp_path / "plugged.py").write_text(HEAD + text.replace(before, after, 1))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "plugged", raising=False)
    check = check_estimator if text is ESTIMATOR else check_meta_parameter
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = with_plug_ins([], [EntryPoint("mine", "plugged:Valley", GROUP)], check, "part")
    assert bool(found) == (reason == "")
    assert all(reason in str(warning.message) for warning in told)
    assert len(told) == (0 if found else 1)
