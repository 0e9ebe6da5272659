"""The architecture slot, relaxed: how much each operation counts on each edge of a cell."""

from __future__ import annotations

from typing import Any

import torch

from engine.inner_tasks.cell import discrete
from engine.meta_parameters.meta_parameter import MetaParameter
from engine.pictures import Edge, Graph, Picture
from engine.problem import Meta, Params
from engine.spec.inner_tasks.cell import OPERATIONS


class Architecture(MetaParameter):
    """θ holds `architecture.alpha`, [edges, operations]: the α of DARTS, equation 2."""

    logarithmic = True
    """Of an operation's weight, up to a factor of its edge."""

    def initial(self, params: Params, seed: int) -> Meta:
        some = next(iter(params.values()))
        return {"architecture.alpha": some.new_zeros(len(self.task.edges), len(OPERATIONS))}

    def completed(self, meta: Meta, params: Params) -> Params:
        return {**params, "architecture": meta["architecture.alpha"]}

    @torch.no_grad()
    def pictures(self, problem: Any, meta: Meta, seed: int) -> list[Picture]:
        """The discrete cell, every edge as strong as its operation is in the mixture."""
        alpha = meta["architecture.alpha"]
        weights, chosen = alpha.softmax(-1), discrete(alpha).tolist()
        middle = [f"node {index}" for index in range(1, self.task.nodes - 1)]
        names = ["input", *middle, "output"]
        edges = [
            Edge(
                source=names[source],
                target=names[target],
                label=OPERATIONS[place].replace("_", " ").replace("x", " × "),
                weight=float(weights[index, place]),
            )
            for index, ((source, target), place) in enumerate(
                zip(self.task.edges, chosen, strict=True)
            )
        ]
        title = "The chosen cell: the strongest operation of each edge, and its softmax weight"
        return [Picture(name="architecture", title=title, drawing=Graph(nodes=names, edges=edges))]
