"""How a part of θ plugs into its slot of f_LEARN: hooks that a learner calls, identities here."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from engine.problem import Hyper, Meta, Params


class MetaParameter:
    """One part of θ. It knows its slot and nothing of the estimators.

    A subclass overrides `initial` and the hooks of its slot, which are pure functions of their
    arguments and work under torch.func's grad, jvp and vmap:

        initial parameters   `adapted`, `initial_params`, `completed`
        optimizer            `hyper`; one that replaces the whole rule also has `initial_memory`
                             and `update`, as the optimizers in `engine.inner_optimizers` have
        loss function        `training_loss(meta, params, batch) -> Tensor`, in place of the task's
        dataset              `batch`
        augmentation         `batch`
        architecture         `completed`, or what the task asks of it
        regularizer          `hyper`

    It may have `logarithmic`, whether its entries are logarithms, and `odds`, whether these are
    logarithms of odds; and as inner tasks `pictures(problem, meta, seed) -> list[Picture]`, which
    show what it has learned, and `test_figures(problem, meta, seed) -> dict[str, float]`.
    """

    def __init__(
        self, options: Any, *, task: Any, horizon: int, start: float | None = None
    ) -> None:
        """`task` is the inner task that it plugs into, and `start` the value of the inner
        optimizer that it replaces, where there is one."""
        self.options = options
        self.task = task
        self.horizon = horizon

    def initial(self, params: Params, seed: int) -> Meta:
        """Its part of θ before the first outer step. `params` are those that the inner loop moves,
        as the task draws them from `seed`."""
        raise TypeError(f"{type(self).__name__} does not say where it starts")

    def own(self, meta: Meta) -> Params:
        """Its part of θ, where the names there are `<kind>.<part>`; part to tensor."""
        prefix = f"{self.options.kind}."
        own = {name: leaf for name, leaf in meta.items() if name.startswith(prefix)}
        return {name.removeprefix(prefix): leaf for name, leaf in own.items()}

    def adapted(self, names: list[str]) -> list[str]:
        """Which of the parameters the inner loop moves; the others come from `completed`."""
        return names

    def initial_params(self, meta: Meta, params: Params) -> Params:
        """w_0(θ), of the parameters that the inner loop moves."""
        return params

    def completed(self, meta: Meta, params: Params) -> Params:
        """Everything that the task's functions read: w_t, and with it what comes from θ."""
        return params

    def hyper(self, meta: Meta, names: list[str], t: int | Tensor) -> Hyper:
        """The hyper-parameters of step `t` that it replaces or adds."""
        return {}

    def batch(self, meta: Meta, batch: Any, seed: Tensor, t: int | Tensor) -> Any:
        """What step `t` trains on, from what the task (or the item before) gives."""
        return batch
