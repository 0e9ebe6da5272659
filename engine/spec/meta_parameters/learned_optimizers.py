"""Update rules that are learned as a whole: they take the place of the inner optimizer."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from engine.spec.errors import FieldError
from engine.spec.inner_tasks.inner_task import Shapes
from engine.spec.meta_parameters.meta_parameter import MetaParameter, Slot
from engine.spec.options import option

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment

LSTM_INPUTS = 2
"""Of each coordinate's gradient: its logarithm and its sign."""


class LearnedOptimizer(MetaParameter):
    """What the learned update rules have in common: one small network for every parameter."""

    slot: ClassVar[Slot] = "optimizer"
    replaces: ClassVar[bool] = True
    outside_inner_loss: ClassVar[str] = (
        "a learned optimizer does not appear in the inner loss, so its implicit gradient is zero"
    )

    transfer: Literal["none", "least_squares", "softmax_regression", "mlp", "digits", "mnist1d"] = (
        "none"
    )
    """Tasks that the optimizer is tested on and never trained on, beside Adam with its learning
    rate tuned on as many inner steps: a family of tasks, or a network on the digits or on MNIST-1D.
    """

    def shapes(self) -> Shapes:
        """Name and shape of every tensor of the network."""
        raise TypeError(f"{type(self).__name__} does not say what its network is")

    def entries(self, experiment: Experiment) -> int:
        return sum(prod(shape) for shape in self.shapes().values())

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        yield from super().refusals(experiment, path)
        if (kind := experiment.inner.optimizer.kind) != "sgd":
            yield FieldError(
                f"{path}.kind",
                self.kind,
                f"takes the place of the inner optimizer, so {kind!r} would change nothing; "
                "allowed: inner.optimizer.kind 'sgd', of which its weight decay remains",
            )


class MLPOptimizer(LearnedOptimizer):
    """A small network that turns what is known of a parameter into its step (Metz et al., 2020).

    It sees the gradient, its means at several decays, its mean squares, the parameter and the time.
    """

    title: ClassVar[str] = "Learned optimizer, multilayer perceptron"
    implementation: ClassVar[str] = "engine.meta_parameters.mlp_optimizer:MLPOptimizer"
    small: ClassVar[dict[str, Any]] = {"hidden": 4}
    features: ClassVar[int] = 16
    times: ClassVar[int] = 11

    kind: Literal["mlp_optimizer"] = "mlp_optimizer"
    hidden: int = option(32, ge=1, le=512, unit="units")
    """Width of each of the two hidden layers."""
    step_multiplier: float = option(0.1, gt=0.0, le=10.0)
    """Steps are step_multiplier · direction · exp(exponent_multiplier · magnitude) of the network's
    two outputs, which are small at the start."""
    exponent_multiplier: float = option(0.1, ge=0.0, le=10.0)
    """How much the second output changes the step's size."""

    def shapes(self) -> Shapes:
        return {
            "first.weight": (self.features + self.times, self.hidden),
            "first.bias": (self.hidden,),
            "second.weight": (self.hidden, self.hidden),
            "second.bias": (self.hidden,),
            "output.weight": (self.hidden, 2),
            "output.bias": (2,),
        }


class LSTMOptimizer(LearnedOptimizer):
    """A recurrent network that reads each parameter's gradients one after the other and writes its
    steps (Andrychowicz et al., 2016)."""

    title: ClassVar[str] = "Learned optimizer, LSTM"
    implementation: ClassVar[str] = "engine.meta_parameters.lstm_optimizer:LSTMOptimizer"
    small: ClassVar[dict[str, Any]] = {"hidden": 3}

    kind: Literal["lstm_optimizer"] = "lstm_optimizer"
    hidden: int = option(20, ge=1, le=256, unit="units")
    """Width of each layer."""
    layers: int = option(2, ge=1, le=4, unit="layers")
    """Layers of the recurrent network."""
    step_multiplier: float = option(0.1, gt=0.0, le=10.0)
    """Factor between the network's output, which is small at the start, and the step."""

    def shapes(self) -> Shapes:
        cells = recurrent(self.layers, self.hidden)
        return {**cells, "output.weight": (self.hidden, 1), "output.bias": (1,)}


class MetaLSTM(LearnedOptimizer):
    """The parameters as the cell state of an LSTM (Ravi and Larochelle, 2017):
    w ← f · w − i · ∇L(w), with learned forget and input gates f and i for every parameter.

    Beside learned initial parameters, the first cell state, it is the paper's few-shot learner.
    """

    title: ClassVar[str] = "Meta-LSTM"
    implementation: ClassVar[str] = "engine.meta_parameters.lstm_optimizer:MetaLSTM"
    small: ClassVar[dict[str, Any]] = {"hidden": 3}

    kind: Literal["meta_lstm"] = "meta_lstm"
    hidden: int = option(20, ge=1, le=256, unit="units")
    """Width of the recurrent layer below the gates."""
    input_gate: float = option(0.1, gt=0.0, lt=1.0)
    """Where the input gate i starts: the learning rate of the gradient descent that it begins as.
    """
    forget_gate: float = option(0.999, gt=0.0, lt=1.0)
    """Where the forget gate f starts: 1 keeps the parameters, less lets them decay."""

    def shapes(self) -> Shapes:
        gate = {"weight": (self.hidden + 2, 1), "bias": (1,)}
        gates = {f"{name}.{part}": gate[part] for name in ("forget", "input") for part in gate}
        return {**recurrent(1, self.hidden), **gates}


def recurrent(layers: int, hidden: int) -> Shapes:
    """Weights [inputs + hidden, 4 · hidden] and biases of LSTM layers; the four gates in order:
    input, forget, candidate, output."""
    shapes: Shapes = {}
    for layer in range(layers):
        inputs = hidden if layer else LSTM_INPUTS
        shapes[f"layers.{layer}.weight"] = (inputs + hidden, 4 * hidden)
        shapes[f"layers.{layer}.bias"] = (4 * hidden,)
    return shapes
