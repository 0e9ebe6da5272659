"""From what torch (or a user's code) raises to an operation's name, a reason and a way out."""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass
from pathlib import Path

import torch

import engine

LONGEST = 300
_TORCH = Path(torch.__file__).parent
_ENGINE = Path(engine.__file__).parent
_MACHINERY = tuple(
    str(_ENGINE / name)
    for name in ("preflight", "estimators", "population.py", "program.py", "rolling.py", "trees.py")
)


@dataclass(frozen=True)
class Fault:
    """What failed: `operation` is empty where no single one is to blame."""

    reason: str
    operation: str = ""
    rewrite: str = ""
    """How the problem itself could be changed so that it works; empty where nothing is known."""


class Unfit(Exception):
    """A fault that torch does not raise: the result would be wrong, and nobody would say so."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.reason)


@dataclass(frozen=True)
class _Saying:
    """A message of torch, told by a pattern whose first group is the operation's name."""

    pattern: re.Pattern[str]
    reason: str
    rewrite: str = ""
    operation: str = ""


def _saying(pattern: str, reason: str, rewrite: str = "", operation: str = "") -> _Saying:
    return _Saying(re.compile(pattern), reason, rewrite, operation)


_READS_VALUES = "a tensor's value is read in Python ({})"
_STAY_IN_TENSORS = "keep values in tensors, with torch.where in the place of if"
_NO_IN_PLACE = "return new tensors instead of changing them in place"
CUT_LOSS = (
    "the loss is cut from the learner's parameters by detach(), .data, no_grad, or an operation "
    "without a gradient such as argmax"
)
_SAYINGS = (
    _saying(r"The output of f is independent of the inputs", CUT_LOSS),
    _saying(
        r"derivative for '?([\w:]+)[^']*'? is not implemented",
        "torch has no derivative of {}",
    ),
    _saying(
        r"Trying to use forward AD with (\w+) that does not support it",
        "torch has no forward-mode derivative of {}",
    ),
    _saying(
        r"ZeroTensors are immutable",
        "torch's forward-mode derivative of a built-in loss's gradient fails",
        "write the loss in plain operations, as ((x - y) ** 2).mean() in the place of mse_loss",
        "mse_loss",
    ),
    _saying(
        r"once_differentiable",
        "a custom autograd.Function is marked {}",
        "write its backward in operations that torch can differentiate again",
        "once_differentiable",
    ),
    _saying(
        r"must implement the jvp function for (custom autograd\.Function)",
        "a {} has no forward-mode derivative",
        "give it a jvp",
    ),
    _saying(
        r"an (autograd\.Function) with functorch transforms .* must override the setup_context",
        "a custom {} without setup_context cannot be transformed",
        "split its forward into forward and setup_context",
    ),
    _saying(
        r"tried to vmap over (\w+), but it does not have vmap support",
        "the custom autograd.Function {} cannot be run at several values together",
        "set generate_vmap_rule = True on it",
    ),
    _saying(
        r"Batching rule not implemented for ([\w:.]+?)[.;]? ",
        "torch cannot run {} at several values together",
    ),
    _saying(
        r"vmap: we do not yet support ([\w:.]+?)\. ",
        "torch cannot run {} at several values together",
    ),
    _saying(
        r"vmap: ([\w:.]+)\(self, \*extra_args\) is not possible",
        "{} changes a tensor in place that all particles share",
        _NO_IN_PLACE,
    ),
    _saying(r"either \(1\) calling \.item\(\)", _READS_VALUES, _STAY_IN_TENSORS, ".item() or if"),
    _saying(
        r"calling (\.item\(\))|get value out of a tracing tensor",
        _READS_VALUES,
        _STAY_IN_TENSORS,
        ".item()",
    ),
    _saying(r"data-dependent control flow", _READS_VALUES, _STAY_IN_TENSORS, "if"),
    _saying(
        r"dynamic shape\. Attempting to batch over (.+?)\.?(?:\n|$)",
        "the shape of a result depends on values ({})",
        "weigh with a mask instead of selecting with it",
    ),
    _saying(
        r"Batch norm got a batched tensor as input while the running_mean",
        "{} changes its running statistics in place",
        "keep running statistics in the state, as new tensors of every step",
        "batch_norm",
    ),
    _saying(
        r"\"(\w+)\" not implemented for '(?:\w+)'",
        "torch has no {} in this precision",
        "another precision",
    ),
    _saying(
        r"leaf Variable that requires grad (?:is being used|has been) .*in-?place|"
        r"modified by an inplace operation|in-place operation.*leaf",
        "a tensor is changed in place",
        _NO_IN_PLACE,
    ),
    _saying(
        r"does not require grad and does not have a grad_fn",
        "the inner loss is cut from the parameters that it is differentiated by",
        "take the inner gradient with torch.func.grad, which builds the graph that it needs",
    ),
)
_ATTENTION = (
    "compute attention inside torch.nn.attention.sdpa_kernel(SDPBackend.MATH), "
    "which can be differentiated twice and forward"
)


def fault(error: Exception) -> Fault:
    """What `error` says, told to a person who knows the problem and not torch's insides."""
    if isinstance(error, Unfit):
        return error.fault
    message = str(error)
    for saying in _SAYINGS:
        found = saying.pattern.search(message)
        if found:
            named = found.group(1) if found.re.groups and found.group(1) else ""
            operation = named or saying.operation
            rewrite = _ATTENTION if "scaled_dot_product" in operation else saying.rewrite
            return Fault(f"{saying.reason.format(operation)}{_place(error)}", operation, rewrite)
    return Fault(f"{raised(error)}{_place(error)}")


def raised(error: BaseException) -> str:
    """The kind of `error` and the first line of what it says."""
    lines = str(error).strip().splitlines()
    said = lines[0] if lines else ""
    said = said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"
    name = type(error).__name__
    return f"{name}: {said}".rstrip(".") if said else name


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the machine is too small, which says nothing about the problem."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )


def _place(error: BaseException) -> str:
    """Where the problem's own code was: the last frame outside torch and the estimators."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = frame.filename
        if path.startswith("<") or Path(path).is_relative_to(_TORCH):
            continue
        if path.startswith(_MACHINERY):
            return ""
        return f" ({Path(path).name}, line {frame.lineno}, in {frame.name})"
    return ""
