"""Products with second derivatives: differences of gradients against differentiating twice."""

import pytest
import torch
from torch.autograd.function import once_differentiable

from engine import estimate, trees
from engine.building import build_problem
from engine.estimators.second_derivatives import (
    ExactProducts,
    FiniteDifferenceProducts,
    check_second_derivatives,
)
from engine.spec import validate
from tests.engine.problems import quadratic
from tests.engine.saddle import Saddle

PRECISIONS = [("float64", 1e-6), ("float32", 1e-2)]


def network(precision: str = "float64"):
    """A smooth network with its weight decays learned, and its inner loss."""
    document = {
        "inner_task": {
            "kind": "image_mlp", "hidden": [12], "activation": "tanh", "train_examples": 300,
            "validation_examples": 100,
        },
        "inner": {"steps": 20, "optimizer": {"kind": "sgd", "learning_rate": 0.3}},
        "meta_parameters": [
            {"kind": "weight_decay", "granularity": "per_tensor", "initial": 0.1, "scale": "log"}
        ],
        "precision": precision,
    }  # fmt: skip
    problem = build_problem(validate(document))
    meta = problem.initial_meta(0)
    params = trees.Split(problem.task.initial_params(0))

    def inner_loss(w, theta):
        return problem.inner_loss(params.joined(w), dict(zip(meta, theta, strict=True)))

    return problem, (inner_loss, params.leaves, list(meta.values()))


def error(found, expected) -> float:
    difference = trees.norm(torch._foreach_sub(found, expected))
    return float(difference / trees.norm(expected))


@pytest.mark.parametrize(("precision", "tolerance"), PRECISIONS)
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_differences_of_gradients_are_products(precision, tolerance, scale) -> None:
    """At any length of the vector, since the step is relative to it."""
    _, loss = network(precision)
    exact, differences = ExactProducts(*loss), FiniteDifferenceProducts(*loss)
    generator = torch.Generator().manual_seed(0)
    vector = [
        scale * torch.randn(leaf.shape, generator=generator, dtype=torch.float64).to(leaf)
        for leaf in loss[1]
    ]
    for one, other in zip(
        differences.hessian_and_mixed(vector), exact.hessian_and_mixed(vector), strict=True
    ):
        assert error(one, other) < tolerance
    assert error(differences.hessian(vector), exact.hessian(vector)) < tolerance
    assert error(differences.gradient, exact.gradient) < 1e-5


def test_products_with_zero_are_zero() -> None:
    _, loss = network()
    zero = [torch.zeros_like(leaf) for leaf in loss[1]]
    for kind in (ExactProducts, FiniteDifferenceProducts):
        curved, mixed = kind(*loss).hessian_and_mixed(zero)
        assert float(trees.norm([*curved, *mixed])) == 0.0


def test_what_they_took_is_counted() -> None:
    _, loss = network()
    for kind, gradients, products in (
        (ExactProducts, 1, 2),
        (FiniteDifferenceProducts, 1 + 2 * 2, 0),
    ):
        taken = kind(*loss)
        taken.hessian(loss[1])
        taken.hessian_and_mixed(loss[1])
        assert taken.gradient_evaluations == gradients
        assert taken.hessian_vector_products == products


@pytest.mark.parametrize(("precision", "tolerance"), PRECISIONS)
@pytest.mark.parametrize(
    "solver",
    [
        {"solver": "cg", "iterations": 8},
        {"solver": "normal_cg", "iterations": 8},
        {"solver": "neumann", "iterations": 20, "step_size": 0.3},
        {"solver": "identity"},
    ],
    ids=str,
)
def test_an_estimate_by_differences_is_the_exact_one(solver, precision, tolerance) -> None:
    problem, _ = network(precision)
    meta = problem.initial_meta(0)
    exact, differences = (
        estimate(problem, {"kind": "implicit", "products": products, **solver}, meta)
        for products in ("exact", "finite_difference")
    )
    assert error(list(differences.gradient.values()), list(exact.gradient.values())) < tolerance
    assert differences.health.residual == pytest.approx(exact.health.residual, rel=tolerance)
    assert differences.health.inner_gradient_norm == pytest.approx(
        exact.health.inner_gradient_norm, rel=1e-4
    )
    assert differences.health.negative_curvature == exact.health.negative_curvature
    counted = exact.cost.hessian_vector_products
    assert differences.cost.hessian_vector_products == 0
    assert differences.cost.gradient_evaluations == 20 + 1 + 2 * counted
    assert differences.cost.peak_bytes < exact.cost.peak_bytes


@pytest.mark.parametrize("solver", ["exact", "normal_cg", "cg", "neumann"])
def test_a_saddle_is_seen_by_differences_too(solver: str) -> None:
    problem = Saddle()
    meta = problem.initial_meta(0)
    exact, differences = (
        estimate(
            problem,
            {"kind": "implicit", "solver": solver, "step_size": 0.4, "products": products},
            meta,
        )
        for products in ("exact", "finite_difference")
    )
    assert differences.health.negative_curvature is True
    assert differences.health.notes[0] == exact.health.notes[0]
    if solver in ("exact", "normal_cg"):
        torch.testing.assert_close(
            differences.gradient["force"], exact.gradient["force"], rtol=1e-6, atol=1e-6
        )


def test_a_flat_direction_is_not_taken_for_a_negative_one() -> None:
    """With an eigenvalue of 0, differences leave rounding of either sign."""
    problem = quadratic(
        {"kind": "weight_decay", "initial": 1e-12}, condition_number=1e12, dimension=6
    )
    found = estimate(
        problem,
        {"kind": "implicit", "solver": "exact", "products": "finite_difference"},
        problem.initial_meta(0),
    )
    assert found.health.negative_curvature is False


class Cube(torch.autograd.Function):
    """x³, which can be differentiated only once, as a user's compiled kernel."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    @once_differentiable
    def backward(ctx, by_output):
        [x] = ctx.saved_tensors
        return by_output * 3.0 * x**2


class OnlyOnce:
    """L(w, θ) = Σ (w³ / 3 − θ w) has its minimum at w = √θ, which the step finds; F = ½ ‖w‖², so
    dF/dθ = w / (2 √θ) = ½."""

    horizon, objective = 1, "final"
    cube = staticmethod(Cube.apply)

    def initial_meta(self, seed: int) -> dict:
        return {"pull": torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64)}

    def initial_state(self, meta: dict, seed: int) -> dict:
        return {"params": {"w": torch.ones_like(meta["pull"])}}

    def step(self, state: dict, meta: dict, t: int) -> dict:
        return {"params": {"w": meta["pull"].sqrt()}}

    def meta_loss(self, state: dict, meta: dict, t: int) -> torch.Tensor:
        return 0.5 * (state["params"]["w"] ** 2).sum()

    def inner_loss(self, params: dict, meta: dict) -> torch.Tensor:
        w = params["w"]
        return (self.cube(w) / 3.0 - meta["pull"] * w).sum()


@pytest.mark.parametrize("solver", ["cg", "normal_cg", "neumann", "exact"])
def test_an_inner_loss_that_can_be_differentiated_once(solver: str) -> None:
    problem = OnlyOnce()
    meta = problem.initial_meta(0)
    spec = {"kind": "implicit", "solver": solver, "iterations": 100, "step_size": 0.2}
    found = estimate(problem, {**spec, "products": "finite_difference"}, meta)
    half = torch.full((3,), 0.5, dtype=torch.float64)
    torch.testing.assert_close(found.gradient["pull"], half, rtol=1e-6, atol=0)


def test_exact_products_of_it_are_refused_with_the_cure() -> None:
    """torch would take its Hessian as zero, in silence."""
    problem = OnlyOnce()
    with pytest.raises(ValueError, match=r"once_differentiable.*set products to finite_difference"):
        estimate(problem, {"kind": "implicit"}, problem.initial_meta(0))


@pytest.mark.parametrize(
    "around",
    [lambda x: x.sum(), lambda x: (x**2).sum(), lambda x: x.sum() ** 2],
    ids=["below a sum", "below a square", "below a sum that is squared"],
)
def test_it_is_found_wherever_it_stands(around) -> None:
    w = torch.tensor([1.0, 2.0])
    with pytest.raises(ValueError, match="once_differentiable"):
        check_second_derivatives(lambda w, theta: around(w[0] * Cube.apply(w[0])), [w], [w])


def test_an_operation_without_a_second_derivative_is_named() -> None:
    """Connectionist temporal classification has a first derivative in torch and no second one."""

    def inner_loss(w, theta):
        log_probabilities = torch.log_softmax(w[0], -1)
        lengths = torch.tensor([6]), torch.tensor([2])
        return torch.nn.functional.ctc_loss(log_probabilities, torch.tensor([[1, 2]]), *lengths)

    w = torch.randn(6, 1, 4, generator=torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match=r"_ctc_loss_backward.*set products to finite_difference"):
        check_second_derivatives(inner_loss, [w], [])


def test_a_linear_inner_loss_has_second_derivatives() -> None:
    w = torch.ones(3)
    check_second_derivatives(lambda w, theta: (w[0] * theta[0]).sum(), [w], [w])
