"""How big is the computation graph? webapp/graph_size/sizes.json, which the page of the lab reads.

    python -m benchmarks.graph_size [SLUG …]

Nothing is allocated: networks and horizons of any size are counted on tensors without values. The
photographs of mini-ImageNet may not be on this machine; blank pictures of its size stand in for
them, since only sizes count.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from tqdm import tqdm

from engine import data
from engine.forecast.graph_size import graph_size
from engine.spec import validate
from engine.version import code_version

PATH = Path(__file__).parents[1] / "webapp" / "graph_size" / "sizes.json"
CLASSES = {"train": 64, "val": 16, "test": 20}
PICTURES = 20
"""Of a class, as many as an episode of 5 shots and 15 queries takes."""


def _few_shot(backbone: str, shots: int, steps: int, filters: int | None = None) -> dict[str, Any]:
    return {
        "inner_task": {
            "kind": "few_shot", "dataset": "mini_imagenet", "ways": 5, "shots": shots,
            "queries": 15, "backbone": backbone, "filters": filters,
        },
        "inner": {"steps": steps, "optimizer": {"kind": "sgd", "learning_rate": 0.01}},
        "meta_parameters": [{"kind": "initialisation"}],
        "outer": {"inner_seed": "fresh"},
    }  # fmt: skip


def _perceptron(optimizer: str, granularity: str) -> dict[str, Any]:
    return {
        "inner_task": {"kind": "image_mlp", "dataset": "fashion_mnist", "hidden": [512, 512]},
        "inner": {"steps": 4000, "optimizer": {"kind": optimizer}},
        "meta_parameters": [{"kind": "learning_rate", "granularity": granularity}],
    }


EXAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "mlp-sgd": (
        "Perceptron 784-512-512-10, one learning rate",
        _perceptron("sgd", "scalar"),
    ),
    "mlp-adam": (
        "Perceptron 784-512-512-10, Adam, a rate for every parameter",
        _perceptron("adam", "per_parameter"),
    ),
    "cnn": (
        "Convolutions 8-16 on Fashion-MNIST",
        {
            "inner_task": {"kind": "image_cnn", "dataset": "fashion_mnist", "channels": [8, 16]},
            "inner": {"steps": 1000},
            "meta_parameters": [{"kind": "learning_rate"}],
        },
    ),
    "conv4-32": ("MAML, conv4 with 32 filters, 1 shot", _few_shot("conv4", 1, 5, 32)),
    "conv4-64": ("MAML, conv4 with 64 filters, 5 shots", _few_shot("conv4", 5, 10, 64)),
    "resnet12": ("MAML, ResNet-12, 5 shots", _few_shot("resnet12", 5, 10)),
    "wrn28": ("MAML, WRN-28-10, 5 shots", _few_shot("wrn28", 5, 10)),
    "lstm": (
        "LSTM, 2 layers of 650 units",
        {
            "inner_task": {
                "kind": "language_lstm", "text": "austen", "embedding": 650, "units": 650,
                "layers": 2, "sequence": 35, "batch_size": 40,
            },
            "inner": {"steps": 10_000, "optimizer": {"kind": "adam", "learning_rate": 0.001}},
            "meta_parameters": [{"kind": "weight_decay", "initial": 1e-6, "scale": "log"}],
        },
    ),
    "cell": (
        "Differentiable cell (DARTS), 3 cells of 16 channels",
        {
            "inner_task": {
                "kind": "cell", "dataset": "fashion_mnist", "nodes": 4, "cells": 3, "channels": 16,
                "batch_size": 64,
            },
            "inner": {
                "steps": 5000,
                "optimizer": {"kind": "momentum", "learning_rate": 0.025, "momentum": 0.9},
            },
            "meta_parameters": [{"kind": "architecture"}],
        },
    ),
    "learned-optimizer": (
        "Learned LSTM optimizer of a perceptron 784-20-10",
        {
            "inner_task": {
                "kind": "image_mlp", "dataset": "fashion_mnist", "hidden": [20],
                "activation": "tanh", "batch_size": 128,
            },
            "inner": {"steps": 100},
            "meta_parameters": [{"kind": "lstm_optimizer", "hidden": 20, "layers": 2}],
            "objective": "average",
        },
    ),
}  # fmt: skip
"""Slug to a title and a spec; the horizons are those of the lecture and of the papers."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.graph_size")
    parser.add_argument("slugs", nargs="*", choices=[[], *EXAMPLES], metavar="SLUG")
    wanted = parser.parse_args().slugs or list(EXAMPLES)
    torch.set_num_threads(1)
    kept = json.loads(PATH.read_text("utf-8"))["examples"] if PATH.exists() else []
    counted = {example["slug"]: example for example in kept}
    for slug in tqdm(wanted, unit="example"):
        title, document = EXAMPLES[slug]
        with blank_pictures(document["inner_task"].get("dataset") == "mini_imagenet"):
            found = graph_size(validate(document))
        counted[slug] = {
            "slug": slug, "title": title, "spec": document, "code_version": code_version(),
            **found.model_dump(),
        }  # fmt: skip
        print(f"{title}: {found.floats_per_step:,} floats a step, {found.bytes / 1e9:.3g} GB")
    examples = [
        counted[slug] | {"title": EXAMPLES[slug][0]} for slug in EXAMPLES if slug in counted
    ]
    PATH.write_text(
        json.dumps({"examples": examples}, indent=1, ensure_ascii=False) + "\n", "utf-8"
    )


@contextmanager
def blank_pictures(wanted: bool) -> Iterator[None]:
    """Blank pictures in place of mini-ImageNet's, where they are `wanted` and not here."""
    if not wanted or data.available("mini_imagenet"):
        yield
        return
    before = os.environ.get("MLAB_DATA")
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / "pictures"
        for part, classes in CLASSES.items():
            for number in range(classes):
                place = pictures / part / f"class-{number}"
                place.mkdir(parents=True)
                for index in range(PICTURES):
                    # All different: a picture that is there twice may be refused.
                    shade = (number, index, 0)
                    Image.new("RGB", (84, 84), shade).save(place / f"{index}.png")
        os.environ["MLAB_DATA"] = str(Path(folder) / "data")
        try:
            data.fetch("mini_imagenet", lambda *_: None, pictures)
            yield
        finally:
            del os.environ["MLAB_DATA"]
            if before is not None:
                os.environ["MLAB_DATA"] = before


if __name__ == "__main__":
    main()
