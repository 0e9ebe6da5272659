"""The spec of an experiment: the one source of the form, the validation, the schema and the docs.

Free of torch, so that web processes can read it. The names are imported when they are first used:
an installed package's inner task imports its base class from here while the others load.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.spec.document import parse_text, read_file, read_text, stored_to_yaml, to_yaml
    from engine.spec.errors import FieldError, SpecError
    from engine.spec.expansion import PlannedRun, expand
    from engine.spec.experiment import Experiment
    from engine.spec.validation import validate

__all__ = [
    "Experiment",
    "FieldError",
    "PlannedRun",
    "SpecError",
    "expand",
    "parse_text",
    "read_file",
    "read_text",
    "stored_to_yaml",
    "to_yaml",
    "validate",
]

MODULES = {
    "document": ("parse_text", "read_file", "read_text", "stored_to_yaml", "to_yaml"),
    "errors": ("FieldError", "SpecError"),
    "expansion": ("PlannedRun", "expand"),
    "experiment": ("Experiment",),
    "validation": ("validate",),
}


def __getattr__(name: str) -> Any:
    for module, names in MODULES.items():
        if name in names:
            return getattr(import_module(f"engine.spec.{module}"), name)
    raise AttributeError(f"module 'engine.spec' has no attribute {name!r}")
