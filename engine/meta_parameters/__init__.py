"""Meta-parameters by the kind that a spec names, one file for each slot of f_LEARN.

A meta-parameter is built as `Class(options, start)`, with `start` the value of the inner optimizer
that it replaces, and offers

- `initial(params, horizon) -> Meta`: its part of θ before the first outer step;
- `hyper(meta, names, t) -> Hyper`: the hyper-parameters of step `t` that it replaces;
- `initial_params(meta, params) -> Params`: the parameters with which the learner starts.
"""

from engine.meta_parameters.drive import Drive
from engine.meta_parameters.initialisation import Initialisation
from engine.meta_parameters.learning_rate import LearningRate
from engine.meta_parameters.optimizer import MomentumCoefficient
from engine.meta_parameters.regularizer import WeightDecay

META_PARAMETERS = {
    "learning_rate": LearningRate,
    "weight_decay": WeightDecay,
    "momentum": MomentumCoefficient,
    "initialisation": Initialisation,
    "drive": Drive,
}
