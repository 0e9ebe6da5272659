"""Preflight: before a run, one inner step with everything that its estimator needs.

What cannot run is refused with the operation's name and with what works instead, in sentences,
where a run would fail later with a traceback, or would be wrong and not say so.
"""

from engine.preflight.contract import Refused
from engine.preflight.estimators import preflight
from engine.preflight.experiments import (
    Verdict,
    built,
    preflight_run,
    refuse_what_cannot_run,
    verdicts,
)

__all__ = [
    "Refused", "Verdict", "built", "preflight", "preflight_run", "refuse_what_cannot_run",
    "verdicts",
]  # fmt: skip
