"""The same meta-gradient by other people's libraries, each used as its documentation shows.

A peer is a function of a `Case` that returns the meta-loss and dF/dw_0 in the order of the
parameters. Batches are drawn by the task itself, as in the engine: what differs is how a step is
differentiated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.networks import load, network_of
from engine.data.tensors import Split
from engine.problem import Learner

Result = tuple[Tensor, list[Tensor]]


@dataclass(frozen=True)
class InnerLoop:
    """A learner trained by gradient descent, whose initial parameters are learned."""

    problem: Learner
    rate: float

    def network(self) -> nn.Module:
        network = network_of(self.problem.task)
        load(network, self.problem.task.initial_params(0))
        return network

    def batches(self) -> Iterator[Split]:
        seed = torch.tensor(0)
        return (self.problem.task.batch(seed, t) for t in range(self.problem.horizon))

    @property
    def validation(self) -> Split:
        return self.problem.task.validation


def with_higher(loop: InnerLoop) -> Callable[[], Result]:
    """higher (Grefenstette et al., 2019): a functional copy of the module and its optimizer."""
    import higher

    network = loop.network()

    def meta_gradient() -> Result:
        optimizer = torch.optim.SGD(network.parameters(), lr=loop.rate)
        with higher.innerloop_ctx(network, optimizer, copy_initial_weights=False) as (
            functional, differentiable,
        ):  # fmt: skip
            for batch in loop.batches():
                differentiable.step(F.cross_entropy(functional(batch.inputs), batch.labels))
            held_out = loop.validation
            loss = F.cross_entropy(functional(held_out.inputs), held_out.labels)
            return loss.detach(), list(torch.autograd.grad(loss, list(network.parameters())))

    return meta_gradient


def with_torchopt(loop: InnerLoop) -> Callable[[], Result]:
    """TorchOpt (Ren et al., 2023): a differentiable optimizer that rebinds the module's tensors."""
    import torchopt

    network = loop.network()

    def meta_gradient() -> Result:
        optimizer = torchopt.MetaSGD(network, lr=loop.rate)
        start = torchopt.extract_state_dict(network, by="reference")
        first = list(network.parameters())
        for batch in loop.batches():
            optimizer.step(F.cross_entropy(network(batch.inputs), batch.labels))
        held_out = loop.validation
        loss = F.cross_entropy(network(held_out.inputs), held_out.labels)
        gradient = torch.autograd.grad(loss, first)
        torchopt.recover_state_dict(network, start)
        return loss.detach(), list(gradient)

    return meta_gradient


def with_a_plain_loop(loop: InnerLoop) -> Callable[[], Result]:
    """What hypertorch's `reverse_unroll` does (Grazzi et al., 2020), and most papers' own code:
    `torch.autograd.grad(create_graph=True)` in a loop over lists of parameters."""
    task = loop.problem.task
    first = task.initial_params(0)

    def meta_gradient() -> Result:
        start = {name: w.clone().requires_grad_() for name, w in first.items()}
        params = start
        for batch in loop.batches():
            loss = task.training_loss(params, batch)
            gradients = torch.autograd.grad(loss, list(params.values()), create_graph=True)
            params = {
                name: w - loop.rate * g
                for (name, w), g in zip(params.items(), gradients, strict=True)
            }
        loss = task.validation_loss(params, torch.tensor(0))
        return loss.detach(), list(torch.autograd.grad(loss, list(start.values())))

    return meta_gradient


PEERS: dict[str, Callable[[InnerLoop], Callable[[], Result]]] = {
    "plain loop, create_graph": with_a_plain_loop,
    "higher 0.2.1": with_higher,
    "TorchOpt 0.7.3": with_torchopt,
}
MODULES = {"higher 0.2.1": "higher", "TorchOpt 0.7.3": "torchopt"}


def installed() -> dict[str, Callable[[InnerLoop], Callable[[], Result]]]:
    """The peers that can be imported here."""
    return {
        label: peer
        for label, peer in PEERS.items()
        if label not in MODULES or find_spec(MODULES[label])
    }
