"""A network of cells: the inner task of differentiable architecture search.

    x_j = Σ_{i<j} Σ_o p^{(i,j)}_o o(x_i),     p^{(i,j)} = softmax(α^{(i,j)})

(Liu, Simonyan and Yang, 2019, DARTS, equation 2), on the graph and with the operations of
NAS-Bench-201 (Dong and Yang, 2020). The α come from θ with everything else that the model reads:
they are in the inner loss and in the meta-loss. Convolutions are normalised by the mean and the
variance of the batch at hand, at the end too: nothing runs along that a step would have to keep.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.inner_tasks.images import ImageTask
from engine.inner_tasks.inner_task import Params
from engine.problem import Meta
from engine.spec.inner_tasks import cell as options

EPSILON = 1e-5
RANDOM_CELLS = 3
"""Discrete cells that are drawn at random, to compare with."""
CERTAIN = 1e4
"""An α so far above the others that their softmax is 0 to the last bit."""


class Cell(ImageTask):
    """A stem, cells with 2× average pooling between them, the mean over pixels, a linear head."""

    def __init__(self, options: options.Cell, *, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(options, device=device, dtype=dtype)
        self.nodes = options.nodes
        self.cells = options.cells
        self.edges = options.edges()

    def arranged(self, inputs: Tensor) -> Tensor:
        return inputs.unsqueeze(1)

    def logits(self, params: Params, inputs: Tensor) -> Tensor:
        mixture = self.mixture(params).unbind()
        image = normalised(F.conv2d(inputs, params["stem.weight"], padding=1))
        for cell in range(self.cells):
            if cell:
                image = F.avg_pool2d(image, kernel_size=2)
            image = self._cell(params, cell, mixture, image)
        return F.linear(image.mean((2, 3)), params["head.weight"], params["head.bias"])

    def mixture(self, params: Params) -> Tensor:
        """The weight of each operation on each edge, [edges, operations]; equal where nothing is
        learned."""
        shape = (len(self.edges), len(options.OPERATIONS))
        if "architecture" not in params:
            return torch.full(shape, 1.0 / shape[1], device=self.device, dtype=self.dtype)
        return params["architecture"].softmax(-1)

    def _cell(
        self, params: Params, cell: int, mixture: tuple[Tensor, ...], image: Tensor
    ) -> Tensor:
        nodes = [image] + [torch.zeros_like(image)] * (self.nodes - 1)
        for (source, target), weights in zip(self.edges, mixture, strict=True):
            prefix = f"cells.{cell}.{source}-{target}"
            for operation, weight in zip(options.OPERATIONS, weights.unbind(), strict=True):
                if operation != "none":
                    result = self._result(operation, params, prefix, nodes[source])
                    nodes[target] = nodes[target] + weight * result
        return nodes[-1]

    def _result(self, operation: str, params: Params, prefix: str, image: Tensor) -> Tensor:
        if operation == "identity":
            return image
        if operation == "average_pooling":
            return F.avg_pool2d(image, 3, stride=1, padding=1, count_include_pad=False)
        weight = params[f"{prefix}.{operation}.weight"]
        padding = weight.shape[-1] // 2
        return normalised(F.conv2d(self.activation(image), weight, padding=padding))

    @torch.no_grad()
    def test_figures(self, problem: Any, meta: Meta, seed: int) -> dict[str, float]:
        """Test accuracy of the discrete cell, trained from scratch in as many steps, of the mixed
        one, and the mean of a few random discrete ones; of the mixed one alone where no
        architecture is learned."""
        mixed = super().test_figures(problem, meta, seed)
        if "architecture.alpha" not in meta:
            return mixed

        def of(cell: Tensor) -> dict[str, float]:
            return super(Cell, self).test_figures(
                problem, {**meta, "architecture.alpha": certain(cell).to(alpha)}, seed
            )

        alpha = meta["architecture.alpha"]
        source = torch.Generator().manual_seed(seed)
        size = (RANDOM_CELLS, len(self.edges))
        drawn = torch.randint(1, len(options.OPERATIONS), size, generator=source)
        random = [of(cell)["test_accuracy"] for cell in drawn]
        return {
            **of(discrete(alpha)),
            "test_accuracy_mixed": mixed["test_accuracy"],
            "test_accuracy_random": sum(random) / len(random),
        }


def discrete(alpha: Tensor) -> Tensor:
    """The strongest operation of each edge that is not none, by its place; int64 [edges]."""
    return 1 + alpha[:, 1:].argmax(-1)


def certain(cell: Tensor) -> Tensor:
    """An α whose mixed cell is, to the last bit, the discrete `cell` (int64 [edges])."""
    return CERTAIN * F.one_hot(cell, len(options.OPERATIONS))


def normalised(image: Tensor) -> Tensor:
    """Every channel with mean 0 and variance 1 over the batch and its pixels.

    Batch normalisation without its own parameters, in plain operations: torch's fused one is
    silently wrong where a forward-mode derivative is differentiated backward.
    """
    centred = image - image.mean((0, 2, 3), keepdim=True)
    return centred / ((centred**2).mean((0, 2, 3), keepdim=True) + EPSILON).sqrt()
