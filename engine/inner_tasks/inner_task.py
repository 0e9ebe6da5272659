"""What an inner task is: the learner's model, how it moves, and the loss that judges it."""

from typing import Any, Protocol

from torch import Tensor

from engine.problem import Hyper, Params

FIRST_HELD_OUT_SEED = 1 << 50
"""Of the tasks that test what was meta-learned, where every seed is a task: a spec's seeds lie
below 2³¹, and the longest outer loop, of 10⁹ inner loops, takes seeds below 2⁵⁰."""


class InnerTask(Protocol):
    """Pure functions of the parameters: they work under torch.func's grad, jvp and vmap.

    An inner task is built from its options as `Task(options, device=..., dtype=...)`. It may have

    - `problem`, a subclass of `engine.problem.Learner` that knows or does more than that;
    - `test_figures(problem, meta, seed) -> dict[str, float]`: what the learner reaches on examples
      that neither loop has seen (`problem.final_params(meta, seed)` are the parameters at the end
      of an inner loop; `problem.with_task(other)` runs it on held-out tasks);
    - `pictures(problem, meta, seed) -> list[engine.pictures.Picture]`: what there is to look at.
    """

    def initial_params(self, seed: int) -> Params:
        """The learner's parameters before the first step, drawn from `seed` alone."""

    def batch(self, seed: Tensor, t: int | Tensor) -> Any:
        """What step `t` trains on: the same for the same `seed` (0-dimensional int64) and `t`."""

    def training_loss(self, params: Params, batch: Any) -> Tensor:
        """Loss of `params` on `batch`; scalar."""

    def whole_batch(self, seed: Tensor) -> Any:
        """What `training_loss` takes for the loss that the inner loop minimises on the whole: all
        training examples (of this seed, where each has its own), without noise."""

    def validation_loss(self, params: Params, seed: Tensor) -> Tensor:
        """The meta-loss ℓ: how good `params` are on what was held out; scalar. Most tasks have the
        same examples for every seed; a few-shot task has an episode for each."""


class DynamicalTask(Protocol):
    """An inner task without an inner loss, whose options say `has_inner_loss = False`.

    It may name a subclass of `engine.dynamical_system.DynamicalSystem` as `problem`: one that knows
    the exact meta-gradient.
    """

    def initial_params(self, seed: int) -> Params:
        """The state before the first step, drawn from `seed` alone."""

    def transition(self, params: Params, hyper: Hyper, seed: Tensor, t: int | Tensor) -> Params:
        """The state after step `t`, the same for the same arguments; of the names that
        `initial_params` gives. `params` has these and what θ completes them with; `hyper` has what
        the options say that it reads, learned or fixed: `hyper["drive"]["s"]` is that of the
        tensor `s`."""

    def validation_loss(self, params: Params, seed: Tensor) -> Tensor:
        """The meta-loss ℓ of a state; scalar."""
