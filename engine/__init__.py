"""Meta-gradients for large inner loops: estimators, searches, probes and the outer loop.

`engine.estimate` and `engine.run` are the two ways in. Importing the package (or `engine.spec`)
does not import torch; using either function does.
"""

from typing import Any

__all__ = ["estimate", "run"]


def __getattr__(name: str) -> Any:
    if name == "run":
        from engine.runner import run

        return run
    if name == "estimate":
        from engine.estimators import estimate

        return estimate
    raise AttributeError(f"module 'engine' has no attribute {name!r}")
