"""Estimators of the meta-gradient: their options and what they can handle, one file each."""

from engine.spec.estimator import Estimator
from engine.spec.estimators.evolution import Evolution
from engine.spec.estimators.first_order import FOMAML, Reptile
from engine.spec.estimators.forward_mode import ForwardMode
from engine.spec.estimators.implicit import Implicit
from engine.spec.estimators.reinforce import Reinforce
from engine.spec.estimators.self_tuning import SelfTuning
from engine.spec.estimators.truncated import Truncated
from engine.spec.estimators.unrolled import Unrolled
from engine.spec.searches import (
    CMAES,
    Bayesian,
    Elites,
    GridSearch,
    PopulationBased,
    RandomSearch,
)

__all__ = [
    "BUILT_IN", "FOMAML", "Estimator", "Evolution", "ForwardMode", "Implicit", "Reinforce",
    "Reptile", "SelfTuning", "Truncated", "Unrolled",
]  # fmt: skip

BUILT_IN = (
    Unrolled,
    Truncated,
    Implicit,
    FOMAML,
    Reptile,
    ForwardMode,
    Evolution,
    Reinforce,
    SelfTuning,
    Elites,
    CMAES,
    RandomSearch,
    GridSearch,
    Bayesian,
    PopulationBased,
)
"""Estimators, and the searches that stand beside them in a comparison."""
