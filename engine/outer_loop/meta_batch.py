"""How many inner loops of a meta-batch one estimate goes through."""

from __future__ import annotations

from engine.chunking import particles_together
from engine.outer_loop.loop import SEED_STRIDE
from engine.preflight.torch_words import is_out_of_memory
from engine.problem import Meta, Problem
from engine.spec import Experiment
from engine.together import together

MOST_BYTES_TOGETHER = 8e6
"""Of the states and one step of inner loops that go together: an estimate may keep many such."""


def meta_batch(
    experiment: Experiment, problem: Problem, meta: Meta, *, averages: bool
) -> tuple[int, Problem]:
    """How many inner loops go together, and what they are as one.

    As the spec says; by itself all, where each costs its calls more than its arithmetic, by the
    size of a step alone. Each alone too where torch cannot take a step of several states at
    once, or where the estimate of the mean is not the mean of the estimates (see `averages` of
    the options).
    """
    outer, seed = experiment.outer, experiment.seeds[0]
    batch = outer.meta_batch
    if batch == 1 or not averages or outer.together == "one_by_one":
        return 1, problem
    fitting = batch
    if outer.together == "auto":
        fitting = particles_together(
            problem, meta, seed, chunk=None, chunk_bytes=MOST_BYTES_TOGETHER
        )
    if fitting >= batch:
        try:
            return batch, together(problem, batch, stride=SEED_STRIDE)
        except Exception as error:
            if is_out_of_memory(error):
                raise
    return 1, problem
