"""Flat functions of tensors as machine code, by TorchInductor, kept on disk between processes.

What is compiled is the list of plain operations that tracing leaves, already differentiated where
a derivative is wanted: differentiating a compiled function gives wrong second derivatives or none.
Inductor keeps its results in its own cache (TORCHINDUCTOR_CACHE_DIR names the folder).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.fx import GraphModule

from engine import trees
from engine.program import traced

KEPT_APART = 20
"""Operations after which Inductor names a result instead of writing it out again wherever it is
used: by default 30, with which the time of compiling grows with the square of a chunk's steps."""

LARGEST_DIFFERENCE = 1e-3
"""Relative, in the first call: far above rounding, and below what a wrong program gives."""

FlatFunction = Callable[..., Sequence[Tensor]]


def compiled(function: FlatFunction, inputs: Sequence[Tensor]) -> FlatFunction:
    """`function` compiled for arguments of the form of `inputs`: contiguous, without gradients.

    Raises what the compiler raises, such as where the machine has none, and `ArithmeticError`
    where the first call gives other values than `function` does.
    """
    from torch._inductor import config
    from torch._inductor.compile_fx import compile_fx_inner, select_decomp_table
    from torch._subclasses import FakeTensorMode
    from torch.fx.experimental.symbolic_shapes import ShapeEnv
    from torch.utils._python_dispatch import _disable_current_modes

    # Nothing here belongs to the estimate whose memory may be measured around it.
    options = {
        "compile_threads": 1,
        "realize_opcount_threshold": KEPT_APART,
        "layout_optimization": False,  # what the arguments are like is settled here
    }
    with _disable_current_modes(), torch.no_grad(), config.patch(options):
        module = traced(function, inputs, select_decomp_table())
        constants = _constants_as_arguments(module)
        fake = FakeTensorMode(shape_env=ShapeEnv())
        forms = [fake.from_tensor(tensor, static_shapes=True) for tensor in (*inputs, *constants)]
        for node, form in zip(module.graph.find_nodes(op="placeholder"), forms, strict=True):
            node.meta["val"] = form
        with torch._guards.tracing(torch._guards.TracingContext(fake)):
            program = compile_fx_inner(module, forms)

        def run(*arguments: Tensor) -> Sequence[Tensor]:
            # Inductor empties the list that it is given.
            return program([*(argument.contiguous() for argument in arguments), *constants])

        _require_close(run(*inputs), function(*inputs))
    return run


def _require_close(found: Sequence[Tensor], expected: Sequence[Tensor]) -> None:
    """Raise `ArithmeticError` for a program that gives something else than what it stands for."""
    pairs = [(a, b) for a, b in zip(found, expected, strict=True) if b.is_floating_point()]
    distance = trees.norm([(a - b).double() for a, b in pairs])
    size = trees.norm([b.double() for _, b in pairs])
    if size.isfinite() and not distance <= LARGEST_DIFFERENCE * size:
        raise ArithmeticError("the compiled program gives other values than the steps")


def _constants_as_arguments(module: GraphModule) -> list[Tensor]:
    """Turn the tensors that `module` holds into further arguments, and give them in order.

    The cache would otherwise keep their values, such as a whole data set.
    """
    graph = module.graph
    constants: list[Tensor] = []
    arguments: dict[int, torch.fx.Node] = {}
    last = graph.find_nodes(op="placeholder")[-1]
    for node in graph.find_nodes(op="get_attr"):
        constant = getattr(module, node.target)
        if id(constant) not in arguments:
            with graph.inserting_after(last):
                last = graph.placeholder(f"constant_{len(constants)}")
            arguments[id(constant)] = last
            constants.append(constant.contiguous())
        node.replace_all_uses_with(arguments[id(constant)])
        graph.erase_node(node)
    # Also those that nothing uses any more, some of which have no values to be kept.
    for name in list(module._buffers):
        delattr(module, name)
    module.recompile()
    return constants
