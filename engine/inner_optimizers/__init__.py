"""Inner optimizers as pure update rules, by the kind that a spec names.

`initial_memory(params)` is what a rule remembers between steps; `update(params, gradients, state,
hyper)` returns the next parameters and the next memory. `hyper` maps each hyper-parameter to
one value for every parameter tensor: numbers or tensors that broadcast against it.
"""

from engine.inner_optimizers.adam import Adam
from engine.inner_optimizers.momentum import Momentum
from engine.inner_optimizers.sgd import SGD

INNER_OPTIMIZERS = {"sgd": SGD, "momentum": Momentum, "adam": Adam}
