"""REINFORCE: the gradient of an expectation over choices, by the score function of the policy.

    ∇ E_{a∼π_θ} F(a) = E [(F(a) − b) ∇ log π_θ(a)]

(Williams, 1992; for architectures Zoph and Le, 2017), for every b that does not depend on a:
unbiased, and the inner loop need not be differentiable in anything. With the mean of the others as
b (leave one out: Kool, van Hoof and Welling, 2019) the variance does not depend on the level of F.
An entropy bonus β adds −β H(π_θ) to what is minimised: F(a) + β log π_θ(a) in the place of F(a).
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine import trees
from engine.chunking import particles_together
from engine.estimators.estimate import Cost, Estimate, Health
from engine.estimators.estimator import Carry, Estimator
from engine.population import for_each, generator
from engine.problem import Meta, Problem
from engine.rolling import roll
from engine.spec.estimators.reinforce import Reinforce as Options

NEEDED = ("sample", "log_probability", "initial_state_of")


class Reinforce(Estimator):
    """The carry has `chunk`, how many choices go together, and with a moving average `level`, the
    average so far; nothing before the first estimate, which then goes without."""

    options_type = Options
    derivative = "the score of the policy"

    def check(self, problem: Problem) -> None:
        if missing := [name for name in NEEDED if not hasattr(problem, name)]:
            raise ValueError(
                "reinforce needs a problem that draws choices, one with " + ", ".join(missing)
            )

    def start(self, problem: Problem, meta: Meta, seed: int) -> Carry:
        carry = super().start(problem, meta, seed)
        chunk = particles_together(
            problem, meta, seed, chunk=self.options.chunk, chunk_bytes=self.options.chunk_bytes
        )
        return {**carry, "chunk": chunk, "level": None}

    def meta_gradient(self, problem: Problem, meta: Meta, carry: Carry) -> Estimate:
        return self.advance(problem, meta, carry)[0]

    def advance(self, problem: Problem, meta: Meta, carry: Carry) -> tuple[Estimate, Carry]:
        with torch.no_grad():
            source = generator(carry["seed"], carry["draw"])
            choices = problem.sample(meta, self.options.samples, source)
            distinct, places = choices.unique(dim=0, return_inverse=True)
            losses = losses_of(problem, meta, distinct, carry["seed"], carry["chunk"])[places]
        theta = trees.tracked_meta(meta)
        with torch.enable_grad():
            score = problem.log_probability(theta, choices)
            advantage = self._advantage(losses, score.detach(), carry["level"])
            objective = (advantage * score).mean()
        gradient = trees.gradients([objective], list(theta.values()), [None])
        steps = len(distinct) * problem.horizon
        estimate = Estimate(
            gradient=dict(zip(meta, gradient, strict=True)),
            meta_loss=float(losses.mean()),
            cost=Cost(inner_steps=steps, gradient_evaluations=steps),
            health=Health(notes=self._doubt(len(distinct))),
        )
        return estimate, {**carry, "level": self._level(estimate.meta_loss, carry["level"])}

    def _advantage(self, losses: Tensor, score: Tensor, level: float | None) -> Tensor:
        """F(a) + β log π(a) − b of every choice."""
        judged = losses + self.options.entropy_bonus * score
        if self.options.baseline == "leave_one_out":
            return (judged - judged.mean()) * (len(judged) / (len(judged) - 1))
        return judged - (level or 0.0)

    def _level(self, loss: float, level: float | None) -> float | None:
        if self.options.baseline != "moving_average":
            return None
        return loss if level is None else level + (1.0 - self.options.decay) * (loss - level)

    def _doubt(self, distinct: int) -> list[str]:
        if distinct > 1 or self.options.samples == 1:
            return []
        return ["all choices drawn are the same one: the policy has settled, and learns no more"]


def losses_of(problem: Problem, meta: Meta, choices: Tensor, seed: int, chunk: int) -> Tensor:
    """F(a) of every row of `choices`, with the inner loop of `seed`; shape [choices]."""

    def loss(choice: Tensor) -> Tensor:
        state = problem.initial_state_of(choice, meta, seed)
        return roll(problem, state, meta, 0, problem.horizon)[1]

    return for_each(loss, choices, chunk=chunk)
