"""Searches, built from what a spec names: they propose θ and observe the meta-loss."""

from typing import Any

from engine.implementations import implementation_of
from engine.searches.search import Search
from engine.spec.estimator import Estimator as Options
from engine.spec.validation import validate_estimator

__all__ = ["Search", "build_search"]


def build_search(spec: dict[str, Any] | Options) -> Search:
    """The search that `spec` describes, such as `{"kind": "elites", "population": 16}`, or whose
    options it is.

    Raises `SpecError` for an unknown kind or option, or a value that is not allowed.
    """
    options = spec if isinstance(spec, Options) else validate_estimator(spec, proposes=True)
    return implementation_of(options, "kind")(**options.options())
