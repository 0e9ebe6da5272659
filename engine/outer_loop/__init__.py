"""One run's outer loop: descend along meta-gradients, or refit a search's distribution.

Both kinds have the same four verbs, so that the runner drives them alike and their events stand
on one chart: `observe` (the figures at the present θ), `probe` (what is measured beside them),
`update` (to the next θ), and the state that a checkpoint keeps.
"""

from engine.outer_loop.descent import PROBE_DRAWS, Descent
from engine.outer_loop.generations import Generations
from engine.population import Share
from engine.problem import Problem
from engine.spec import Experiment

__all__ = ["PROBE_DRAWS", "Descent", "Generations", "build_outer_loop"]


def build_outer_loop(
    experiment: Experiment, problem: Problem, share: Share | None = None
) -> Descent | Generations:
    """The outer loop of a single-run experiment (one estimator, one seed); `share` may have others
    evaluate parts of its populations."""
    kind = Generations if experiment.estimators[0].proposes else Descent
    return kind(experiment, problem, share)
