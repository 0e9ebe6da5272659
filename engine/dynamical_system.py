"""An inner loop that minimises nothing: the task itself says how one state follows another."""

from __future__ import annotations

from torch import Tensor

from engine.problem import BuiltProblem, Meta, State


class DynamicalSystem(BuiltProblem):
    """s_{t+1} = task.transition(s_t, hyper-parameters of step t, seed, t).

    It has no inner loss, so implicit differentiation refuses it, and no inner optimizer. A task
    whose meta-gradient is known names a subclass that has `exact` as its attribute `problem`.
    """

    def eager_step(self, state: State, meta: Meta, t: int | Tensor) -> State:
        hyper = self.hyper(meta, t)
        params = self.completed(meta, state["params"])
        params = self.task.transition(params, hyper, state["seed"], t)
        return {"params": params, "seed": state["seed"]}
