"""The spec of an experiment: the one source of the form, the validation, the schema and the docs.

Free of torch, so that web processes can read it.
"""

from engine.spec.document import parse_text, read_file, read_text, to_yaml
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
    "to_yaml",
    "validate",
]
