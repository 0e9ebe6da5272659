"""A learned optimizer: θ holds a network that is the update rule, the same for every parameter."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import Any

import torch
from torch import Tensor

from engine.held_out import mean_loss, tuned_adam_loss
from engine.meta_parameters.meta_parameter import MetaParameter
from engine.meta_parameters.update_curve import update_curve
from engine.pictures import Picture
from engine.problem import Hyper, Learner, Meta, Params
from engine.spec.inner_tasks.transfer import TRANSFER_TASKS
from engine.trees import Tree

SMALL = 0.1
"""The last layer's weights are drawn so much smaller than the others, and steps start small."""


class LearnedOptimizer(MetaParameter):
    """θ holds `<kind>.<part>` for every tensor that the options name in `shapes()`.

    All parameters are laid out as one vector of length P once a step, so that a step is a few
    products of matrices whatever the model. A subclass gives `initial_memory` and `step`.
    """

    def initial(self, params: Params, seed: int) -> Meta:
        """Weights are normal with deviation 1/√(fan in), and biases 0."""
        some = next(iter(params.values()))
        # Apart from the learner's own initial parameters, which are drawn with the seed itself.
        generator = torch.Generator().manual_seed((1 << 62) + seed)
        meta: Meta = {}
        for name, shape in self.options.shapes().items():
            values = torch.zeros(shape, dtype=torch.float64)
            if name.endswith("weight"):
                drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
                values = drawn * shape[0] ** -0.5 * (1.0 if self._is_inner(name) else SMALL)
            meta[f"{self.options.kind}.{name}"] = self.started(name, values).to(some)
        return meta

    def started(self, name: str, values: Tensor) -> Tensor:
        """Where the tensor `name` of the network starts, from what was drawn for it."""
        return values

    def hyper(self, meta: Meta, names: list[str], t: int | Tensor) -> Hyper:
        network = self.own(meta)
        some = next(iter(network.values()))
        return {self.options.kind: {**network, "time": torch.as_tensor(t).to(some)}}

    def update(
        self, params: Params, gradients: Params, memory: Tree, hyper: Hyper
    ) -> tuple[Params, Tree]:
        w, g = flattened(params), flattened({name: gradients[name] for name in params})
        sizes = [leaf.numel() for leaf in params.values()]
        w, memory = self.step(w, g, memory, hyper[self.options.kind], sizes)
        moved = {
            name: part.reshape(params[name].shape)
            for name, part in zip(params, w.split(sizes), strict=True)
        }
        return moved, memory

    def step(
        self, w: Tensor, g: Tensor, memory: Tree, network: dict[str, Tensor], sizes: list[int]
    ) -> tuple[Tensor, Tree]:
        """The next parameters and memory from all parameters and gradients, of shape [P]; `sizes`
        are the entries of each tensor of the model, in order, and `network["time"]` is t."""
        raise TypeError(f"{type(self).__name__} does not say how it steps")

    def test_figures(self, problem: Any, meta: Meta, seed: int) -> dict[str, float]:
        """On tasks that it was not trained on: its meta-loss, and that of tuned Adam."""
        if self.options.transfer == "none":
            return {}
        learner = self._elsewhere(problem)
        own = {name: leaf for name, leaf in meta.items() if name in learner.initial_meta(0)}
        adam = tuned_adam_loss(learner.task, learner.horizon, learner.objective)
        return {"transfer_loss": mean_loss(learner, own), "transfer_loss_adam": adam}

    def pictures(self, problem: Any, meta: Meta, seed: int) -> list[Picture]:
        return [update_curve(self, problem, meta, seed)]

    def _elsewhere(self, problem: Any) -> Learner:
        """This update rule alone, on the tasks of the option `transfer`."""
        if not hasattr(self, "_transferred"):
            options = TRANSFER_TASKS[self.options.transfer]
            w = next(iter(problem.initial_meta(0).values()))
            task = resolve_name(options.implementation)(options, device=w.device, dtype=w.dtype)
            fixed = {"learning_rate": 0.0, "weight_decay": 0.0}
            self._transferred = Learner(
                task=task, optimizer=self, fixed=fixed, meta_parameters=[self],
                horizon=problem.horizon, objective=problem.objective, traced=False,
            )  # fmt: skip
        return self._transferred

    def _is_inner(self, name: str) -> bool:
        """Whether `name` is a weight of a layer below the last."""
        return name.split(".")[0] in ("first", "second", "layers")


def flattened(tree: Params) -> Tensor:
    """All entries in one vector [P], tensor after tensor."""
    return torch.cat([leaf.reshape(-1) for leaf in tree.values()])


def zeros(params: Params, *leading: int, trailing: tuple[int, ...] = ()) -> Tensor:
    """What a rule remembers of every parameter, before the first step: [*leading, P, *trailing]."""
    some = next(iter(params.values()))
    return some.new_zeros(*leading, sum(leaf.numel() for leaf in params.values()), *trailing)
