"""What a learned optimizer does with a gradient, drawn beside the rules that it resembles most.

It is asked as it would be in an inner loop: after some steps along one constant gradient, which
fill its memory, it gets gradients from −r to r, one for each parameter of a tensor.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from engine.inner_optimizers import SGD, Adam
from engine.meta_parameters.curves import line
from engine.pictures import Curves, Picture
from engine.problem import Meta
from engine.spec.inner_loop import Adam as AdamOptions

POINTS = 81
STEPS_BEFORE = 10
"""Steps along a constant gradient before the one that is drawn."""


@torch.no_grad()
def update_curve(optimizer: Any, problem: Any, meta: Meta, seed: int) -> Picture:
    """The step (what is added to a parameter at 0) by the gradient, for three gradients before;
    dashed, gradient descent and Adam with the learning rates that come closest to it."""
    typical = _typical_gradient(problem, meta, seed)
    gradients = torch.linspace(-3.0, 3.0, POINTS).to(typical) * typical

    def learned(before: float) -> Tensor:
        return _step(
            optimizer, gradients, before * typical, lambda t: optimizer.hyper(meta, ["w"], t)
        )

    words = {-1.0: "after gradients of −r", 0.0: "after none", 1.0: "after gradients of r"}
    curves = {before: learned(before) for before in words}
    lines = [line(words[before], gradients, curve) for before, curve in curves.items()]
    hyper = {name: {"w": value} for name, value in AdamOptions(learning_rate=1.0).options().items()}
    for name, rule in {"gradient descent": SGD(), "Adam": Adam()}.items():
        unit = _step(rule, gradients, 0.0 * typical, lambda t: hyper)
        rate = float((curves[0.0] @ unit) / (unit @ unit).clamp(min=torch.finfo(unit.dtype).tiny))
        label = f"{name}, learning rate {rate:.2g}"
        lines.append(line(label, gradients, rate * unit, dashed=True))
    drawing = Curves(
        x_title=f"gradient (typical size r = {float(typical):.2g})", y_title="step", lines=lines
    )
    return Picture(name="update", title="The learned update rule", drawing=drawing)


def _step(rule: Any, gradients: Tensor, before: Tensor, hyper: Any) -> Tensor:
    """What `rule` adds to parameters at 0 for each of `gradients`, after steps along `before`."""
    params = {"w": torch.zeros_like(gradients)}
    memory = rule.initial_memory(params)
    constant = {"w": before.expand_as(gradients)}
    for t in range(STEPS_BEFORE):
        _, memory = rule.update(params, constant, memory, hyper(t))
    return rule.update(params, {"w": gradients}, memory, hyper(STEPS_BEFORE))[0]["w"]


def _typical_gradient(problem: Any, meta: Meta, seed: int) -> Tensor:
    """Root mean square of the first inner gradient's entries; 1 where that is 0."""
    state = problem.initial_state(meta, seed)
    entries = torch.cat([g.reshape(-1) for g in problem.inner_gradient(state, meta, 0).values()])
    size = entries.square().mean().sqrt()
    return torch.where(size > 0.0, size, torch.ones_like(size))
