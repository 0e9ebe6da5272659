"""An installed package whose inner task has the fault that its options name."""

from __future__ import annotations

from pathlib import Path

OPTIONS = '''
from typing import ClassVar, Literal
from engine.spec.inner_tasks import InnerTask, Shapes


class Faulty(InnerTask):
    """A task with a fault."""

    title: ClassVar[str] = "A faulty task"
    implementation: ClassVar[str] = "faulty.task:FaultyTask"

    kind: Literal["faulty"] = "faulty"
    fault: Literal["none", "attention", "value", "raises", "build", "float32", "random"] = "none"
    """What is wrong with it."""

    def parameter_shapes(self) -> Shapes:
        return {"w": (4, 8)}
'''
TASK = """
import torch
import torch.nn.functional as F


class FaultyTask:
    def __init__(self, options, *, device, dtype):
        if options.fault == "build":
            raise KeyError("weights")
        self.fault = options.fault
        dtype = torch.float32 if options.fault == "float32" else dtype
        self.start = torch.linspace(0.1, 1.0, 32, device=device, dtype=dtype).reshape(4, 8)

    def initial_params(self, seed):
        return {"w": self.start}

    def batch(self, seed, t):
        return torch.rand(4, 8) if self.fault == "random" else torch.ones(4, 8)

    def training_loss(self, params, batch):
        w = params["w"]
        if self.fault == "attention":
            heads = w.reshape(1, 1, 4, 8)
            return F.scaled_dot_product_attention(heads, heads, heads).square().sum()
        if self.fault == "value":
            return (w * w).sum() * float(w.detach().norm())
        if self.fault == "raises":
            return params["bias"].sum()
        return (batch * w * w).sum()

    def whole_batch(self, seed):
        return torch.ones(4, 8)

    def validation_loss(self, params, seed):
        return (params["w"] ** 2).mean()
"""


def install(folder: Path) -> None:
    """Into `folder`, which is then like site-packages on the PYTHONPATH."""
    package = folder / "faulty"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "options.py").write_text(OPTIONS)
    (package / "task.py").write_text(TASK)
    metadata = folder / "faulty-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1.0\n")
    entry = "[metaopt_lab.inner_tasks]\nfaulty = faulty.options:Faulty\n"
    (metadata / "entry_points.txt").write_text(entry)
