"""Checkpoints on disk: written whole or not at all, and read as data, never as code."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from engine.events import Checkpoint


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write `checkpoint` to `path`; an interruption leaves the old file as it was.

    Raises `OSError` where the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        with partial.open("wb") as file:
            torch.save(
                {"run": checkpoint.run, "step": checkpoint.step, "state": checkpoint.state}, file
            )
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except RuntimeError as error:
        # torch hides what the disk said behind the state of its archive.
        if isinstance(error.__context__, OSError):
            raise error.__context__ from None
        raise
    finally:
        partial.unlink(missing_ok=True)


def load(path: Path) -> Checkpoint:
    """The checkpoint at `path`, its tensors on the CPU until a run puts them where they belong."""
    return Checkpoint(**torch.load(path, map_location="cpu", weights_only=True))
