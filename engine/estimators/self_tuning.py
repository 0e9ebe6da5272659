"""Self-tuning networks: train the learner and its response to θ together, and θ meanwhile.

The best response ŵ(θ), which minimises the inner loss at θ, is modelled near the present θ_0 by a
linear function (MacKay, Vicol, Lorraine, Duvenaud and Grosse, 2019, with every entry of U its own;
centred at θ_0 as Bae and Grosse, 2020, have it):

    ŵ(θ_0 + ε) = w_0 + U ε.

An inner step is taken at both θ_0 + σz and θ_0 − σz, with z of random signs, from the parameters
that the model says there. Both follow the same batch. w_0 goes where they arrive in the mean, and U
learns from how they differ, along z alone:

    U ← U + (ρ/d) (δ − U z) zᵀ,     δ = (w₊ − w₋) / 2σ,     d = dim θ

(for gradient descent this is gradient descent on the inner loss at perturbed θ by w_0 and U,
without the noise of the batch, which both share). The meta-gradient is

    dF/dθ = ∂F/∂θ + Uᵀ ∂F/∂w     at w_0,

and when θ moves by Δ, w_0 moves by U Δ. With d = 1 and ρ = 1, U is the tangent of forward mode as
σ → 0.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from engine import trees
from engine.estimators.estimate import Cost, Estimate
from engine.estimators.estimator import Carry, Estimator, check_within_horizon
from engine.estimators.final_slopes import final_slopes
from engine.gradient_step import GradientStep
from engine.population import generator
from engine.problem import Meta, Problem, State
from engine.spec import estimators as options
from engine.trees import Leaves


@dataclass
class Learned:
    """A learner and its response; `theta` is the θ_0 at which both stand."""

    state: State
    response: Leaves
    """U: for every parameter tensor one of shape [d, *its shape]."""
    theta: Meta


class SelfTuning(Estimator):
    """The carry has, inside an inner loop, `t` and what is `Learned`: `state`, `response` and
    `theta`. The learner keeps the seed of its state, whatever seed the next call brings."""

    options_type = options.SelfTuning
    derivative = "the response"

    def check(self, problem: Problem) -> None:
        check_within_horizon(problem, "window", self.options.window)
        if not (hasattr(problem, "inner_loss") and isinstance(problem, GradientStep)):
            raise ValueError(
                "a self-tuning network needs a problem whose steps follow an inner_loss"
            )
        if problem.objective != "final":
            raise ValueError("a self-tuning network judges the learner as it is: objective final")
        count = sum(leaf.numel() for leaf in problem.initial_meta(0).values())
        if count > self.options.most_entries:
            raise ValueError(
                f"θ has {count:,} entries; at most {self.options.most_entries} have a response"
            )

    @torch.no_grad()
    def meta_gradient(self, problem: Problem, meta: Meta, carry: Carry) -> Estimate:
        learned = _untrained(problem, meta, carry["seed"])
        return self._train(problem, learned, 0, problem.horizon, carry)

    @torch.no_grad()
    def advance(self, problem: Problem, meta: Meta, carry: Carry) -> tuple[Estimate, Carry]:
        start = carry.get("t", 0)
        if start:
            learned = Learned(carry["state"], carry["response"], carry["theta"])
            learned = _moved(learned, meta)
        else:
            learned = _untrained(problem, meta, carry["seed"])
        stop = min(start + self.options.window, problem.horizon)
        estimate = self._train(problem, learned, start, stop, carry)
        if stop == problem.horizon:
            return estimate, {**carry, "t": 0, "state": None, "response": None, "theta": None}
        kept = pytree.tree_map(torch.clone, trees.detached(vars(learned)))
        return estimate, {**carry, "t": stop, **kept}

    @torch.no_grad()
    def inner_loop(self, problem: Problem, meta: Meta, carry: Carry) -> tuple[State, int, int]:
        start = carry.get("t", 0)
        stop = min(start + self.options.window, problem.horizon)
        if start:
            return carry["state"], start, stop
        return super().inner_loop(problem, meta, carry)[0], 0, stop

    def _train(
        self, problem: Problem, learned: Learned, start: int, stop: int, carry: Carry
    ) -> Estimate:
        """The estimate after steps `start` … `stop` − 1, which change `learned`."""
        source = generator(carry["seed"], carry["draw"])
        for t in range(start, stop):
            self._step(problem, learned, t, source)
        meta_loss, by_w, by_theta = final_slopes(problem, learned.state, learned.theta, stop)
        count = len(learned.response[0])
        by_response = torch.stack(
            [
                r.reshape(count, -1) @ slope.reshape(-1)
                for r, slope in zip(learned.response, by_w, strict=True)
            ]
        ).sum(0)
        parts = by_response.split([leaf.numel() for leaf in by_theta])
        return Estimate(
            gradient={
                name: slope + part.reshape(slope.shape).to(slope)
                for name, slope, part in zip(learned.theta, by_theta, parts, strict=True)
            },
            meta_loss=meta_loss,
            cost=Cost(inner_steps=2 * (stop - start), gradient_evaluations=2 * (stop - start)),
        )

    def _step(self, problem: Problem, learned: Learned, t: int, source: torch.Generator) -> None:
        sigma, count = self.options.sigma, len(learned.response[0])
        signs = 2.0 * torch.randint(2, (count,), generator=source) - 1.0
        said = _along(learned.response, signs)
        ahead, behind = (
            problem.step(*_perturbed(learned, said, signs, distance), t)
            for distance in (sigma, -sigma)
        )
        behind = trees.ordered(behind, ahead)
        above, below = trees.Split(ahead["params"]).leaves, trees.Split(behind["params"]).leaves
        shown = torch._foreach_div(torch._foreach_sub(above, below), 2.0 * sigma)
        rate = self.options.response_rate / count
        learned.response = [
            r + rate * torch.tensordot(signs.to(r), s - before, dims=0)
            for r, s, before in zip(learned.response, shown, said, strict=True)
        ]
        split = trees.Split(ahead)
        both = zip(split.leaves, trees.Split(behind).leaves, strict=True)
        learned.state = split.joined([torch.lerp(a, b, 0.5) for a, b in both])


def _untrained(problem: Problem, meta: Meta, seed: int) -> Learned:
    """The initial learner, with the response of s_0(θ) itself, most often none."""

    def leaves(theta: Meta) -> Leaves:
        return trees.Split(problem.initial_state(theta, seed)["params"]).leaves

    state = problem.initial_state(meta, seed)
    slopes = torch.func.jacfwd(leaves, randomness="same")(meta)
    response = []
    for w, by_theta in zip(leaves(meta), slopes, strict=True):
        entries = [by.reshape(*w.shape, -1) for by in by_theta.values()]
        response.append(torch.cat(entries, dim=-1).movedim(-1, 0))
    return Learned(state, response, meta)


def _moved(learned: Learned, meta: Meta) -> Learned:
    """The learner where its response says that it belongs at another θ."""
    change = trees.flat(meta) - trees.flat(learned.theta)
    split = trees.Split(learned.state["params"])
    way = _along(learned.response, change)
    state = {**learned.state, "params": split.joined(torch._foreach_add(split.leaves, way))}
    return Learned(state, learned.response, meta)


def _along(response: Leaves, direction: Tensor) -> Leaves:
    """U times a direction of θ."""
    return [torch.tensordot(direction.to(r), r, dims=1) for r in response]


def _perturbed(
    learned: Learned, said: Leaves, signs: Tensor, distance: float
) -> tuple[State, Meta]:
    """The state and θ at `distance` along `signs`."""
    split = trees.Split(learned.state["params"])
    params = split.joined(torch._foreach_add(split.leaves, said, alpha=distance))
    parts = signs.split([leaf.numel() for leaf in learned.theta.values()])
    theta = {
        name: leaf + distance * part.reshape(leaf.shape).to(leaf)
        for (name, leaf), part in zip(learned.theta.items(), parts, strict=True)
    }
    return {**learned.state, "params": params}, theta
