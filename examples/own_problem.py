"""A problem of your own, nothing registered; `engine.problem` says what else one may have."""

import torch

import engine


class LogisticRegression:
    """60 steps of gradient descent on 200 points; θ is the logarithm of the step size."""

    horizon, objective = 60, "final"

    def __init__(self):
        generator = torch.Generator().manual_seed(0)
        inputs = torch.randn(300, 10, generator=generator, dtype=torch.float64)
        labels = (inputs[:, 0] + 0.5 * inputs[:, 1] > 0).double()
        self.training, self.held_out = (inputs[:200], labels[:200]), (inputs[200:], labels[200:])

    def loss(self, w, data):
        return torch.nn.functional.binary_cross_entropy_with_logits(data[0] @ w, data[1])

    def initial_meta(self, seed):
        return {"log_rate": torch.tensor(-1.0, dtype=torch.float64)}

    def initial_state(self, meta, seed):
        return {"params": {"w": torch.zeros(10, dtype=torch.float64)}}

    def step(self, state, meta, t):
        gradient = torch.func.grad(self.loss)(state["params"]["w"], self.training)
        return {"params": {"w": state["params"]["w"] - meta["log_rate"].exp() * gradient}}

    def meta_loss(self, state, meta, t):
        return self.loss(state["params"]["w"], self.held_out)


problem = LogisticRegression()
theta = problem.initial_meta(seed=0)
for spec in ({"kind": "unrolled"}, {"kind": "truncated", "window": 5}, {"kind": "evolution"}):
    found = engine.estimate(problem, spec, theta)
    print(f"{spec['kind']:10} {found.gradient['log_rate']:+.6f} {found.cost.peak_bytes:8,} bytes")
