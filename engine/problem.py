"""The contract that every estimator meets, and how a learner's parts become a `Problem`."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from inspect import signature
from typing import Any, Literal, Protocol, Self, runtime_checkable

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from engine import penalties
from engine.gradient_step import GradientStep
from engine.pictures import Picture
from engine.program import Recorded, StepProgram, step_number
from engine.trees import Meta, Params, State

Hyper = dict[str, dict[str, Any]]
"""Hyper-parameter to parameter name to a number, or a tensor that broadcasts against it."""


@runtime_checkable
class Problem(Protocol):
    """An inner loop and its judge. Any object with these members can be estimated.

    s_0 = initial_state(θ, seed); s_{t+1} = step(s_t, θ, t) for t = 0 … horizon − 1;
    F(θ) = Σ_t c_t meta_loss(s_t, θ, t), with only c_T = 1 for the objective `final`, and
    c_t = 1/T for t = 1 … T for `average`.

    A problem whose inner loss has a stationary point that the inner loop approaches may also
    have `inner_loss(params, meta, seed=0) -> Tensor`: implicit differentiation needs it (one whose
    inner loss is the same for every seed leaves the last argument out). One whose
    meta-gradient is known may have `exact(meta, seed) -> (float, Meta)`: the oracle takes it.
    One whose step follows the gradient of an inner loss may say so by inheriting `GradientStep`:
    products in mixed mode and first-order estimates of every meta-parameter need it.
    One that keeps logarithms in θ may have `logarithmic() -> list[str]`, their names:
    population-based training shifts these where it multiplies others; and `odds() -> list[str]`,
    which of them are logarithms of odds.
    One whose inner loop depends on a choice that a policy π_θ draws, so that F(θ) = E F(a), may
    have `sample(meta, count, source) -> Tensor`, int64 [count, decisions] from a generator on the
    CPU, `log_probability(meta, choices) -> Tensor` [n], and `initial_state_of(choice, meta, seed)`,
    whose state keeps the choice for the step and the meta-loss to read: REINFORCE needs them.
    One that can tell what is reached on examples or tasks that neither loop has seen may have
    `test_figures(meta, seed) -> dict[str, float]`, and one that can show what θ holds
    `pictures(meta, seed) -> list[engine.pictures.Picture]`: a run records both.
    One that runs several steps at once, as `engine.compiled.Compiled` does for any problem, has
    `roll` (see `engine.rolling`), `pull_back` (see `engine.estimators.adjoint`), `chunk`, the
    number of these steps, and `health_notes: list[str]`, sentences for every health record.
    """

    horizon: int
    objective: Literal["final", "average"]

    def initial_meta(self, seed: int) -> Meta:
        """θ before the first outer step."""

    def initial_state(self, meta: Meta, seed: int) -> State:
        """s_0(θ); a nested dict of tensors with `params` among its keys."""

    def step(self, state: State, meta: Meta, t: int) -> State:
        """Φ_t, pure: the same arguments give the same bits, and no argument is changed."""

    def meta_loss(self, state: State, meta: Meta, t: int) -> Tensor:
        """ℓ_t, a scalar."""


def inner_loss_of(problem: Problem, seed: int | Tensor) -> Callable[[Params, Meta], Tensor]:
    """The inner loss of `problem` as a function of w and θ, where its inner loops have `seed`."""
    if "seed" in signature(problem.inner_loss).parameters:
        return partial(problem.inner_loss, seed=seed)
    return problem.inner_loss


class BuiltProblem:
    """An inner task with meta-parameters in its slots; a subclass says how an inner step goes.

    `fixed` gives the hyper-parameters that nothing learns. `traced` is whether `step` replays the
    operations of `eager_step`, or runs it.
    """

    def __init__(
        self,
        *,
        task: Any,
        fixed: dict[str, float],
        meta_parameters: list[Any],
        horizon: int,
        objective: Literal["final", "average"],
        traced: bool = True,
    ) -> None:
        self.task = task
        self.meta_parameters = meta_parameters
        self.horizon = horizon
        self.objective = objective
        self.traced = traced
        self._names = list(task.initial_params(0))
        for item in meta_parameters:
            self._names = item.adapted(self._names)
        self._fixed = {key: dict.fromkeys(self._names, value) for key, value in fixed.items()}
        meta = self.initial_meta(0)
        self._program = self.eager_step
        if traced:
            self._program = StepProgram(self.eager_step, self.initial_state(meta, 0), meta)

    def initial_meta(self, seed: int) -> Meta:
        params = self._drawn(seed)
        meta: Meta = {}
        for item in self.meta_parameters:
            meta |= item.initial(params, seed)
        return meta

    def initial_state(self, meta: Meta, seed: int) -> State:
        params = self._start(meta, self._drawn(seed))
        device = next(iter(params.values())).device
        return {"params": params, "seed": torch.tensor(seed, device=device)}

    def step(self, state: State, meta: Meta, t: int) -> State:
        return self._program(state, meta, t)

    def eager_step(self, state: State, meta: Meta, t: int | Tensor) -> State:
        """Φ_t as it is written; `step` replays its operations."""
        raise TypeError(f"{type(self).__name__} does not say how an inner step goes")

    def meta_loss(self, state: State, meta: Meta, t: int) -> Tensor:
        return self.task.validation_loss(self.completed(meta, state["params"]), state["seed"])

    def completed(self, meta: Meta, params: Params) -> Params:
        """What the task's functions read: the parameters that the inner loop moves, and with them
        what θ gives the model beside these."""
        for item in self.meta_parameters:
            params = item.completed(meta, params)
        return params

    @torch.no_grad()
    def final_params(self, meta: Meta, seed: int) -> Params:
        """What the task's functions read at the end of the inner loop of `seed`."""
        state = self.initial_state(meta, seed)
        for t in range(self.horizon):
            state = self.step(state, meta, t)
        return self.completed(meta, state["params"])

    def with_task(self, task: Any) -> Self:
        """The same learner on another task with the same parameters, such as held-out ones."""
        other = copy.copy(self)
        other.task = task
        other._program = other.eager_step
        return other

    def test_figures(self, meta: Meta, seed: int) -> dict[str, float]:
        """What the learner reaches on what neither loop has seen: series name to value, as the
        task and the meta-parameters measure it; empty where none does."""
        figures: dict[str, float] = {}
        for part in (self.task, *self.meta_parameters):
            if hasattr(part, "test_figures"):
                figures |= part.test_figures(self, meta, seed)
        return figures

    def pictures(self, meta: Meta, seed: int) -> list[Picture]:
        """What the task and the meta-parameters show of θ."""
        parts = [part for part in (self.task, *self.meta_parameters) if hasattr(part, "pictures")]
        return [picture for part in parts for picture in part.pictures(self, meta, seed)]

    def logarithmic(self) -> list[str]:
        """Names in θ whose entries are natural logarithms."""
        return self._names_where("logarithmic")

    def odds(self) -> list[str]:
        """Names in θ whose entries are natural logarithms of odds v / (1 − v)."""
        return self._names_where("odds")

    def _names_where(self, attribute: str) -> list[str]:
        params = self._drawn(0)
        parts = [item for item in self.meta_parameters if getattr(item, attribute, False)]
        return [name for item in parts for name in item.initial(params, 0)]

    def hyper(self, meta: Meta, t: int | Tensor) -> Hyper:
        """Every hyper-parameter at step `t`, learned or fixed."""
        hyper = dict(self._fixed)
        for item in self.meta_parameters:
            hyper |= item.hyper(meta, self._names, t)
        return hyper

    def _drawn(self, seed: int) -> Params:
        """The parameters that the inner loop moves, as the task draws them."""
        params = self.task.initial_params(seed)
        return {name: params[name] for name in self._names}

    def _start(self, meta: Meta, params: Params) -> Params:
        """w_0(θ), as far as θ holds it; the others are `params`."""
        for item in self.meta_parameters:
            params = item.initial_params(meta, params)
        return params


class Learner(BuiltProblem, GradientStep):
    """f_LEARN: an inner task whose training loss an inner optimizer minimises.

    `proximal` is the λ of (λ/2)‖w − w_0(θ)‖² in the inner loss, which ties the learner to the
    initial parameters that θ holds (iMAML: Rajeswaran et al., 2019). Raises `ValueError` for a λ
    above 0 where θ holds none.
    """

    def __init__(self, *, task: Any, optimizer: Any, proximal: float = 0.0, **parts: Any) -> None:
        self.optimizer = optimizer
        self.proximal = proximal
        losses = [item for item in parts["meta_parameters"] if hasattr(item, "training_loss")]
        self._learned_loss = losses[0] if losses else None
        self._forget_records()
        super().__init__(task=task, **parts)
        params = self._drawn(0)
        start = self._start(self.initial_meta(0), params)
        if proximal and all(start[name] is w for name, w in params.items()):
            raise ValueError("proximal: no meta-parameter holds initial parameters to tie to")

    def with_task(self, task: Any) -> Self:
        other = super().with_task(task)
        other._forget_records()
        return other

    def initial_state(self, meta: Meta, seed: int) -> State:
        start = super().initial_state(meta, seed)
        memory = self.optimizer.initial_memory(start["params"])
        return {"params": start["params"], "optimizer": memory, "seed": start["seed"]}

    def training_loss(self, state: State, meta: Meta, t: int | Tensor) -> Tensor:
        """The loss on the batch of step `t`, without penalties: `updated` adds their gradients."""
        batch = self.task.batch(state["seed"], t)
        return self._loss_on(batch, state["params"], meta, state["seed"], t)

    def _loss_on(
        self, batch: Any, params: Params, meta: Meta, seed: Tensor, t: int | Tensor
    ) -> Tensor:
        for item in self.meta_parameters:
            batch = item.batch(meta, batch, seed, t)
        params = self.completed(meta, params)
        if self._learned_loss is not None:
            return self._learned_loss.training_loss(meta, params, batch)
        return self.task.training_loss(params, batch)

    def updated(self, state: State, gradients: Params, meta: Meta, t: int | Tensor) -> State:
        params = state["params"]
        hyper = self.hyper(meta, t)
        gradients = penalties.penalised(gradients, params, hyper)
        if self.proximal:
            start = self._start(meta, params)
            gradients = penalties.tied(gradients, params, start, self.proximal)
        params, memory = self.optimizer.update(params, gradients, state["optimizer"], hyper)
        return {"params": params, "optimizer": memory, "seed": state["seed"]}

    def eager_step(self, state: State, meta: Meta, t: int | Tensor) -> State:
        return self.updated(state, super().inner_gradient(state, meta, t), meta, t)

    def inner_gradient(self, state: State, meta: Meta, t: int | Tensor) -> Params:
        return self._gradient(state, meta, step_number(t, state["seed"].device))

    def inner_products(
        self, state: State, meta: Meta, t: int | Tensor, vector: Params
    ) -> list[Tensor | None]:
        found = self._products(state, meta, step_number(t, state["seed"].device), vector)
        return pytree.tree_structure((state, meta)).flatten_up_to(found)

    def _forget_records(self) -> None:
        """A record holds the data of the task that it was made on."""
        self._gradient = Recorded(super().inner_gradient)
        self._products = Recorded(self._tree_of_products)

    def _tree_of_products(
        self, state: State, meta: Meta, t: Tensor, vector: Params
    ) -> tuple[State, Meta]:
        """By name, as a record's arguments are; `None` in the place of a zero."""
        products = super().inner_products(state, meta, t, vector)
        return pytree.tree_unflatten(products, pytree.tree_structure((state, meta)))

    def inner_loss(self, params: Params, meta: Meta, seed: int | Tensor = 0) -> Tensor:
        """The loss whose stationary point w_T approximates: all training data, with penalties."""
        hyper = self.hyper(meta, self.horizon - 1)
        seed = torch.as_tensor(seed, device=next(iter(params.values())).device)
        loss = self._loss_on(self.task.whole_batch(seed), params, meta, seed, 0)
        loss = loss + penalties.penalty(params, hyper)
        if self.proximal:
            loss = loss + penalties.distance(params, self._start(meta, params), self.proximal)
        return loss
