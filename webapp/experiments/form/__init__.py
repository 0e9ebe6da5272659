"""The builder's form: generated from the spec's models, read back into a plain document."""

from webapp.experiments.form.build import Form, build_form
from webapp.experiments.form.parse import Parsed, parse_form
from webapp.experiments.form.restructure import moves, restructure

__all__ = ["Form", "Parsed", "build_form", "moves", "parse_form", "restructure"]
