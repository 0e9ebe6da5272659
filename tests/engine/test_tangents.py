"""A traced tangent program gives what the transforms give, and multiplies no zeros."""

from functools import partial

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

from engine import trees
from engine.building import build_problem
from engine.rolling import roll
from engine.spec import validate
from engine.tangents import TRACED_FROM, TangentProgram, push, pushing
from engine.zero_tangents import leave_out_zeros

SIZES = {"batch_size": 8, "validation_examples": 20}
TASKS = [
    {"kind": "quadratic", "dimension": 5, "noise": 0.2},
    {"kind": "image_mlp", "hidden": [6], "activation": "tanh", **SIZES},
    {"kind": "image_cnn", "channels": [2], "activation": "gelu", **SIZES},
    {"kind": "image_cnn", "dataset": "mnist1d", "channels": [2], **SIZES},
]
META = [
    {"kind": "learning_rate", "granularity": "per_step", "initial": 0.05},
    {"kind": "weight_decay", "granularity": "per_tensor", "initial": 0.01, "scale": "log"},
]


def learner(
    task: dict,
    optimizer: str = "sgd",
    meta_parameters: list[dict] | None = None,
    program: str = "traced",
):
    document = {
        "inner_task": task,
        "inner": {"steps": 6, "optimizer": {"kind": optimizer}, "program": program},
        "meta_parameters": meta_parameters or META,
        "precision": "float64",
    }
    return build_problem(validate(document))


def somewhere(problem, count: int):
    """A state inside the inner loop, with tangents and directions drawn at random."""
    meta = problem.initial_meta(0)
    state, _ = roll(problem, problem.initial_state(meta, 0), meta, 0, 3)
    source = torch.Generator().manual_seed(1)

    def drawn(leaf: torch.Tensor) -> torch.Tensor:
        return torch.randn(count, *leaf.shape, generator=source, dtype=torch.float64)

    tangents = [drawn(leaf) for leaf in trees.Split(state).leaves]
    return state, meta, tangents, [drawn(leaf) for leaf in meta.values()]


@pytest.mark.parametrize(
    ("task", "optimizer", "count"),
    [
        (TASKS[0], "momentum", 1),
        (TASKS[0], "adam", 3),
        (TASKS[1], "sgd", 1),
        (TASKS[1], "adam", 3),
        (TASKS[2], "sgd", 3),
        (TASKS[3], "momentum", 1),
    ],
    ids=str,
)
def test_a_program_gives_what_the_transforms_give(task, optimizer, count) -> None:
    problem = learner(task, optimizer)
    state, meta, tangents, directions = somewhere(problem, count)
    for function in (problem.step, problem.meta_loss):
        program = TangentProgram(function, state, meta, directions)
        for t in (3, 5):
            found = program(state, meta, t, tangents, directions)
            written = push(function, state, meta, t, tangents, directions)
            leaves, structure = pytree.tree_flatten(found)
            others, other_structure = pytree.tree_flatten(written)
            assert structure == other_structure
            for one, other in zip(leaves, others, strict=True):
                torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-13)


def test_the_zero_tangent_of_the_data_is_multiplied_by_nothing() -> None:
    """Two layers: five products of matrices in a step, and eight for the tangents: the first
    layer's data has none, on the way forward and back."""
    problem = learner({"kind": "image_mlp", "hidden": [6], **SIZES}, meta_parameters=META[:1])
    state, meta, _, directions = somewhere(problem, 1)
    program = TangentProgram(problem.step, state, meta, directions)
    assert sum("mm" in str(operation) for operation in program.operations) == 5 + 8


def test_zeros_that_are_written_into_stay() -> None:
    def function(x: torch.Tensor, y: torch.Tensor) -> list[torch.Tensor]:
        table = torch.zeros(2, 3, dtype=torch.float64)
        table[1].copy_(x)
        nothing = torch.zeros(3, dtype=torch.float64)
        return [table * y, x + nothing * y, nothing * y, nothing - x]

    x, y = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], dtype=torch.float64)
    module = make_fx(function)(x, y)
    leave_out_zeros(module)
    for found, expected in zip(module(x, y), function(x, y), strict=True):
        assert torch.equal(found, expected)
    operations = [str(node.target) for node in module.graph.nodes]
    assert operations.count("aten.mul.Tensor") == 1
    assert operations.count("aten.add.Tensor") == 0


WRITTEN_THROUGH = {
    "diagonal": lambda table, row: table.diagonal().copy_(row),
    "unbind": lambda table, row: table.unbind(0)[1].copy_(row),
    "split": lambda table, row: table.split(1)[2].copy_(row[None]),
}


@pytest.mark.parametrize("write", WRITTEN_THROUGH.values(), ids=WRITTEN_THROUGH)
def test_zeros_that_are_written_into_through_any_view_stay(write) -> None:
    def step(state, meta, t):
        table = torch.zeros(3, 3, dtype=torch.float64)
        write(table, meta["row"])
        return {"params": table @ state["params"]}

    state = {"params": torch.rand(3, 3, dtype=torch.float64)}
    meta = {"row": torch.rand(3, dtype=torch.float64)}
    tangents, directions = (
        [torch.rand(2, *leaf.shape).double()] for leaf in (state["params"], meta["row"])
    )
    program = TangentProgram(step, state, meta, directions)
    found, expected = (
        each(state, meta, 0, tangents, directions) for each in (program, partial(push, step))
    )
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0.0)


def test_short_loops_and_steps_that_run_as_written_are_not_traced() -> None:
    problem = learner(TASKS[0], program="eager")
    state, meta, _, directions = somewhere(problem, 1)
    plain = pushing(problem, "step", state, meta, directions, calls=1000)
    assert isinstance(plain, partial)
    problem = learner(TASKS[0])
    state, meta, _, directions = somewhere(problem, 1)
    plain = pushing(problem, "step", state, meta, directions, calls=TRACED_FROM - 1)
    assert isinstance(plain, partial)
    traced = pushing(problem, "step", state, meta, directions, calls=TRACED_FROM)
    assert isinstance(traced, TangentProgram)
    assert pushing(problem, "step", state, meta, directions, calls=TRACED_FROM) is traced
