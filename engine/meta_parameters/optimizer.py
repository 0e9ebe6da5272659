"""The optimizer slot: what the update rule itself learns."""

from engine.meta_parameters.hyper_parameter import HyperParameter


class MomentumCoefficient(HyperParameter):
    """The momentum μ of the inner optimizer."""

    name = "momentum"
