"""Nothing in the lab turns data into code: no pickle, no eval, no shell, no YAML with objects."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted([*(ROOT / "engine").rglob("*.py"), *(ROOT / "webapp").rglob("*.py")])

MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
BUILT_IN = {"eval", "exec", "compile", "__import__"}
CALLS = {"os.system", "os.popen", "yaml.unsafe_load", "yaml.full_load"}
SAFE_LOADERS = {"_Loader"}
"""Of engine/spec/document.py, which is a SafeLoader with less."""

ALLOWED = {
    # The form in which the data's own site offers them, read by an unpickler that knows arrays
    # alone: tests/engine/data/test_local_folders.py gives it one that would call something.
    "engine/data/cifar100.py": "imports pickle",
}


def named(node: ast.expr) -> str:
    """`a.b.c` for such an expression; its last name where it begins with something else."""
    if isinstance(node, ast.Attribute):
        return f"{named(node.value)}.{node.attr}".lstrip(".")
    return node.id if isinstance(node, ast.Name) else ""


def option(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def dangers(source: str) -> Iterator[str]:
    """What in `source` could turn data into code, by line."""
    for node in ast.walk(ast.parse(source)):
        imported = []
        if isinstance(node, ast.Import):
            imported = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported = [node.module or ""]
        for module in imported:
            if module.split(".")[0] in MODULES:
                yield f"{node.lineno}: imports {module}"
        if not isinstance(node, ast.Call):
            continue
        name, shell = named(node.func), option(node, "shell")
        if name in (BUILT_IN if isinstance(node.func, ast.Name) else CALLS):
            yield f"{node.lineno}: calls {name}"
        if name == "torch.load" and not is_true(option(node, "weights_only")):
            yield f"{node.lineno}: torch.load without weights_only=True"
        if name in ("yaml.load", "yaml.load_all"):
            loader = option(node, "Loader")
            if not isinstance(loader, ast.Name) or loader.id not in SAFE_LOADERS:
                yield f"{node.lineno}: yaml.load without a safe loader"
        pickles = option(node, "allow_pickle")
        if pickles is not None and not is_false(pickles):
            yield f"{node.lineno}: reads arrays of objects"
        if shell is not None and not is_false(shell):
            yield f"{node.lineno}: a shell"


def is_true(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is True


def is_false(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "from pickle import loads", "import a, joblib", "eval('1')", "exec(x)",
        "import os\nos.system('ls')", "torch.load(p)", "torch.load(p, weights_only=False)",
        "yaml.load(t)", "yaml.load(t, Loader=yaml.Loader)", "yaml.unsafe_load(t)",
        "np.load(p, allow_pickle=True)", "subprocess.run(c, shell=True)", "Popen(c, shell=yes)",
        "def f():\n  def g():\n    eval(x)",
    ],
)  # fmt: skip
def test_every_danger_is_seen(source: str) -> None:
    assert len(list(dangers(source))) == 1


def test_what_is_safe_is_let_through() -> None:
    source = "torch.load(p, weights_only=True)\nre.compile(x)\nmodel.eval()\nrun(c, shell=False)"
    assert list(dangers(source)) == []


def test_nothing_turns_data_into_code() -> None:
    assert len(FILES) > 400
    found = {
        str(path.relative_to(ROOT)): seen
        for path in FILES
        if (seen := list(dangers(path.read_text(encoding="utf-8"))))
    }
    assert found.keys() == ALLOWED.keys(), found


def test_tasks_travel_as_json_alone() -> None:
    assert settings.CELERY_ACCEPT_CONTENT == ["json"]
    assert settings.CELERY_TASK_SERIALIZER == "json"
    assert settings.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"
    assert settings.CELERY_TASK_IGNORE_RESULT, "a result would need a serializer of its own"


def test_no_secret_stands_in_the_settings() -> None:
    """Of those that run a lab: each secret is read from the environment."""
    for path in (ROOT / "webapp" / "settings").glob("*.py"):
        if path.name == "test.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                for target in node.targets:
                    name = named(target)
                    secret = any(word in name for word in ("KEY", "PASSWORD", "SECRET", "TOKEN"))
                    assert not secret or node.value.value in (True, False, None), f"{path}: {name}"
