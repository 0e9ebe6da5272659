"""The regularizer slot: weight decay."""

from engine.meta_parameters.hyper_parameter import HyperParameter


class WeightDecay(HyperParameter):
    """The coefficient λ of the penalty (λ/2)‖w‖² in the inner loss."""

    name = "weight_decay"
