"""The learning-rate slot."""

from engine.meta_parameters.hyper_parameter import HyperParameter


class LearningRate(HyperParameter):
    """The learning rate α of the inner optimizer."""

    name = "learning_rate"
