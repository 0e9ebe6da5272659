"""A learner that a policy chooses something for, such as its architecture.

    F(θ) = E_{a ∼ π_θ} F(a),     ∇F = Σ_a F(a) ∇π_θ(a)

where F(a) is the meta-loss after the inner loop with the choice a. θ is in the policy alone, so
nothing needs to be differentiated but that, and the sum over all choices is an exact oracle where
they are few. The choice is in the state, so that one step serves all of them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from engine.population import for_each
from engine.problem import Learner, Meta, Params, State
from engine.rolling import roll

TOGETHER = 32
"""Choices that an exhaustive search trains at once."""


class ChoiceLearner(Learner):
    """One meta-parameter is the policy, with `sample`, `log_probability` and `choices`; the task
    reads the choice at `params["choice"]` and has `started(params, choice)` and
    `test_accuracy(params)`.

    As a `Problem`, its inner loop is that of the most probable choice.
    """

    def __init__(self, **parts: Any) -> None:
        (self._policy,) = parts["meta_parameters"]
        self._searched: dict[int, tuple[Tensor, Tensor]] = {}
        super().__init__(**parts)

    def sample(self, meta: Meta, count: int, source: torch.Generator) -> Tensor:
        """`count` choices from π_θ; int64 [count, decisions]."""
        return self._policy.sample(meta, count, source)

    def log_probability(self, meta: Meta, choices: Tensor) -> Tensor:
        """log π_θ of `choices` [n, decisions]; shape [n]."""
        return self._policy.log_probability(meta, choices)

    @torch.no_grad()
    def probabilities(self, meta: Meta) -> Tensor:
        """π_θ of all choices, in the order of `exhaustive_search`."""
        return self.log_probability(meta, self._policy.choices).exp()

    def initial_state(self, meta: Meta, seed: int) -> State:
        most_probable = self.log_probability(meta, self._policy.choices).argmax()
        choice = self._policy.choices.index_select(0, most_probable[None])[0]
        return self.initial_state_of(choice, meta, seed)

    def initial_state_of(self, choice: Tensor, meta: Meta, seed: int) -> State:
        """s_0 of the inner loop with `choice`, int64 [decisions]."""
        state = super().initial_state(meta, seed)
        return {**state, "params": self.task.started(state["params"], choice), "choice": choice}

    def training_loss(self, state: State, meta: Meta, t: int | Tensor) -> Tensor:
        batch = self.task.batch(state["seed"], t)
        return self._loss_on(batch, _with_choice(state), meta, state["seed"], t)

    def updated(self, state: State, gradients: Params, meta: Meta, t: int | Tensor) -> State:
        return {**super().updated(state, gradients, meta, t), "choice": state["choice"]}

    def meta_loss(self, state: State, meta: Meta, t: int) -> Tensor:
        return self.task.validation_loss(_with_choice(state), state["seed"])

    @torch.no_grad()
    def exhaustive_search(self, seed: int) -> tuple[Tensor, Tensor]:
        """F and the test accuracy of every choice, with the inner loop of `seed`; both [choices].

        Done once for a seed: neither depends on θ.
        """
        if seed not in self._searched:
            meta = self.initial_meta(0)

            def trained(choice: Tensor) -> tuple[Tensor, Tensor]:
                state = self.initial_state_of(choice, meta, seed)
                end, loss = roll(self, state, meta, 0, self.horizon)
                return loss, self.task.test_accuracy(_with_choice(end))

            self._searched[seed] = for_each(trained, self._policy.choices, chunk=TOGETHER)
        return self._searched[seed]

    def exact(self, meta: Meta, seed: int) -> tuple[float, Meta]:
        """F(θ) and its gradient, by the sum over all choices."""
        losses, _ = self.exhaustive_search(seed)
        theta = {name: leaf.detach().requires_grad_() for name, leaf in meta.items()}
        with torch.enable_grad():
            probabilities = self.log_probability(theta, self._policy.choices).exp()
            expected = (probabilities * losses.to(probabilities)).sum()
        gradient = torch.autograd.grad(expected, list(theta.values()))
        return expected.item(), dict(zip(theta, gradient, strict=True))


def _with_choice(state: State) -> Params:
    return {**state["params"], "choice": state["choice"]}
