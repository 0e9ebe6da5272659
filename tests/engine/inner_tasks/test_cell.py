"""The cell of differentiable architecture search: exact meta-gradients, and what is chosen."""

import pytest
import torch
from torch.func import grad, hessian, jacrev

from engine import estimate
from engine.inner_tasks.cell import CERTAIN, certain, discrete
from engine.spec import SpecError, validate
from engine.spec.inner_tasks.cell import OPERATIONS
from tests.engine.finite_differences import assert_exact, built

CELL = {
    "kind": "cell", "nodes": 3, "cells": 1, "channels": 2, "activation": "tanh", "batch_size": 6,
    "train_examples": 20, "validation_examples": 20,
}  # fmt: skip
SMALLEST = {**CELL, "nodes": 2, "cells": 1}
ARCHITECTURE = {"kind": "architecture"}


@pytest.fixture(scope="module")
def problem():
    """A cell of three edges; built once, as recording its step takes longer than any test."""
    return built(CELL, ARCHITECTURE, objective="final")


def elsewhere(problem):
    """An α that weighs the operations differently."""
    source = torch.Generator().manual_seed(2)
    alpha = problem.initial_meta(0)["architecture.alpha"]
    return {"architecture.alpha": torch.randn(alpha.shape, generator=source, dtype=alpha.dtype)}


def test_meta_gradients_of_the_architecture_are_exact(problem) -> None:
    assert_exact(problem, elsewhere(problem))


def test_implicit_differentiation_has_the_direct_part_and_the_one_through_the_weights() -> None:
    """∂F/∂α − ∂F/∂w (H + δI)⁻¹ ∂²L/∂w∂α, with all of it written out."""
    problem = built(SMALLEST, ARCHITECTURE, objective="final")
    meta, damping = elsewhere(problem), 0.5
    trained = problem.final_params(meta, 0)
    names = [name for name in trained if name != "architecture"]
    sizes = [trained[name].numel() for name in names]

    def tree(w):
        parts = zip(names, w.split(sizes), strict=True)
        return {name: part.reshape(trained[name].shape) for name, part in parts}

    def inner(w, alpha):
        return problem.inner_loss(tree(w), {"architecture.alpha": alpha})

    def outer(w, alpha):
        state = {"params": tree(w), "seed": torch.tensor(0)}
        return problem.meta_loss(state, {"architecture.alpha": alpha}, 4)

    w = torch.cat([trained[name].reshape(-1) for name in names])
    alpha = meta["architecture.alpha"]
    curvature = hessian(inner)(w, alpha) + damping * torch.eye(len(w)).double()
    mixed = jacrev(grad(inner), argnums=1)(w, alpha)
    direct = grad(outer, argnums=1)(w, alpha)
    through = torch.linalg.solve(curvature, grad(outer)(w, alpha))
    spec = {"kind": "implicit", "solver": "exact", "damping": damping}
    found = estimate(problem, spec, meta).gradient["architecture.alpha"]
    torch.testing.assert_close(found, direct - torch.tensordot(through, mixed, dims=1))
    assert direct.norm() > 0.01 * found.norm()


def test_first_order_darts_is_what_acts_on_the_meta_loss_directly(problem) -> None:
    meta = elsewhere(problem)
    alpha = meta["architecture.alpha"].clone().requires_grad_()
    params = {
        name: w for name, w in problem.final_params(meta, 0).items() if name != "architecture"
    }
    state = {"params": params, "seed": torch.tensor(0)}
    (direct,) = torch.autograd.grad(
        problem.meta_loss(state, {"architecture.alpha": alpha}, 4), alpha
    )
    found = estimate(problem, {"kind": "fomaml"}, meta).gradient["architecture.alpha"]
    torch.testing.assert_close(found, direct)


def test_a_certain_mixture_is_the_discrete_cell(problem) -> None:
    alpha = torch.tensor(
        [[9.0, 0.1, 0.0, 0.3, 0.2], [0.0, 0.1, 0.0, 0.0, 0.9], [0.0, 0.5, 0.0, 0.3, 0.2]]
    )
    chosen = discrete(alpha)
    names = [OPERATIONS[place] for place in chosen]
    assert names == ["convolution_1x1", "convolution_3x3", "identity"]
    mixture = problem.task.mixture({"architecture": certain(chosen).double()})
    assert torch.equal(mixture, torch.nn.functional.one_hot(chosen, 5).double())
    assert CERTAIN > 1000


def test_no_operation_anywhere_leaves_the_bias_of_the_head(problem) -> None:
    params = problem.task.initial_params(0)
    nothing = {**params, "architecture": certain(torch.zeros(3, dtype=torch.int64)).double()}
    logits = problem.task.logits(nothing, problem.task.validation.inputs)
    torch.testing.assert_close(logits, params["head.bias"].expand(20, 10))


def test_figures_and_the_picture_of_the_chosen_cell(problem) -> None:
    meta = elsewhere(problem)
    figures = problem.test_figures(meta, 0)
    assert figures.keys() == {
        "test_accuracy", "test_loss", "test_accuracy_mixed", "test_accuracy_random",
    }  # fmt: skip
    assert all(0.0 <= figures[name] <= 1.0 for name in figures if name != "test_loss")
    assert figures == problem.test_figures(meta, 0)
    (picture,) = problem.pictures(meta, 0)
    assert picture.drawing.nodes == ["input", "node 1", "output"]
    weights = meta["architecture.alpha"].softmax(-1)
    for row, edge in zip(weights, picture.drawing.edges, strict=True):
        assert edge.weight == pytest.approx(float(row[1:].max()))


def test_without_a_learned_architecture_all_operations_count_alike() -> None:
    problem = built(SMALLEST, {"kind": "learning_rate"})
    assert problem.task.mixture({}).unique().tolist() == [0.2]
    assert "test_accuracy_mixed" not in problem.test_figures(problem.initial_meta(0), 0)


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        ({"inner_task": {"kind": "image_mlp"}}, "meta_parameters.0.kind", "inner_task.kind: cell"),
        ({"inner_task": {"kind": "cell", "dataset": "mnist1d"}}, "inner_task.dataset", "digits"),
        (
            {"inner_task": {"kind": "cell"}, "estimators": [{"kind": "reptile"}]},
            "estimators.0.kind",
            "initial parameters only",
        ),
    ],
)
def test_what_cannot_work_is_refused(document, path, message) -> None:
    with pytest.raises(SpecError) as refused:
        validate({"meta_parameters": [ARCHITECTURE], **document})
    assert any(e.path == path and message in str(e) for e in refused.value.errors)
