"""Image classification by a network of cells, whose operations can be searched for."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import field_validator

from engine.spec.inner_tasks.images import CLASSES, EXAMPLE_SHAPES, ImageTask
from engine.spec.inner_tasks.inner_task import Shapes
from engine.spec.options import option

OPERATIONS = ("none", "identity", "average_pooling", "convolution_1x1", "convolution_3x3")
"""Candidates on every edge, those of NAS-Bench-201 (Dong and Yang, 2020)."""
KERNELS = {"convolution_1x1": 1, "convolution_3x3": 3}


class Cell(ImageTask):
    """Image classification with a small network of cells.

    A cell is a graph of nodes, each the sum of all before it, and an edge mixes candidate
    operations: none, identity, average pooling, convolutions of 1 × 1 and 3 × 3. All cells mix
    alike: by the softmax of a learned architecture, or equally where none is learned.
    """

    title: ClassVar[str] = "Image classification with a network of cells"
    implementation: ClassVar[str] = "engine.inner_tasks.cell:Cell"
    reads: ClassVar[tuple[str, ...]] = (*ImageTask.reads, "architecture")
    small: ClassVar[dict[str, Any]] = {
        "nodes": 2,
        "cells": 1,
        "channels": 2,
        "activation": "tanh",
        "batch_size": 6,
        "train_examples": 20,
        "validation_examples": 20,
    }

    kind: Literal["cell"] = "cell"
    nodes: int = option(4, ge=2, le=8, unit="nodes")
    """Nodes of a cell: its input, then one after the other up to its output."""
    cells: int = option(2, ge=1, le=8, unit="cells")
    """Cells in a row; between two of them the image is halved."""
    channels: int = option(8, ge=1, le=256, unit="channels")
    """Channels of every node."""

    @field_validator("dataset")
    @classmethod
    def _of_images(cls, dataset: str) -> str:
        if len(EXAMPLE_SHAPES[dataset]) != 2:
            images = [name for name, shape in EXAMPLE_SHAPES.items() if len(shape) == 2]
            raise ValueError(f"a cell works on images; allowed: {', '.join(images)}")
        return dataset

    def edges(self) -> list[tuple[int, int]]:
        """(source, target) of every edge, in the order of targets."""
        return [(source, target) for target in range(1, self.nodes) for source in range(target)]

    def parameter_shapes(self) -> Shapes:
        width = self.channels
        shapes: Shapes = {"stem.weight": (width, 1, 3, 3)}
        for cell in range(self.cells):
            for source, target in self.edges():
                for operation, kernel in KERNELS.items():
                    name = f"cells.{cell}.{source}-{target}.{operation}.weight"
                    shapes[name] = (width, width, kernel, kernel)
        return {**shapes, "head.weight": (CLASSES, width), "head.bias": (CLASSES,)}
