"""Adam as an update rule: torch's own steps, and a derivative where a gradient entry is zero."""

import torch

from engine.inner_optimizers import INNER_OPTIMIZERS

HYPER = {"learning_rate": 0.1, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}


def steps(gradients: list[torch.Tensor], rate: torch.Tensor) -> torch.Tensor:
    """The parameters after one update for each of `gradients`, from zero."""
    rule = INNER_OPTIMIZERS["adam"]()
    params = {"w": torch.zeros_like(gradients[0])}
    memory = rule.initial_memory(params)
    hyper = {name: {"w": value} for name, value in HYPER.items()} | {"learning_rate": {"w": rate}}
    for gradient in gradients:
        params, memory = rule.update(params, {"w": gradient}, memory, hyper)
    return params["w"]


def test_the_steps_are_those_of_torch() -> None:
    generator = torch.Generator().manual_seed(0)
    gradients = list(torch.randn(5, 3, generator=generator, dtype=torch.float64))
    w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    theirs = torch.optim.Adam([w], lr=0.1)
    for gradient in gradients:
        w.grad = gradient
        theirs.step()
    ours = steps(gradients, torch.tensor(0.1, dtype=torch.float64))
    torch.testing.assert_close(ours, w.detach(), rtol=1e-6, atol=1e-9)


def test_the_derivative_is_finite_where_a_gradient_entry_is_zero() -> None:
    gradient = torch.tensor([0.0, 1.0], dtype=torch.float64, requires_grad=True)
    rate = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    total = steps([gradient, gradient], rate).sum()
    for derivative in torch.autograd.grad(total, [gradient, rate]):
        assert derivative.isfinite().all()
