"""The optimizer slot: what the update rule itself learns."""

from engine.meta_parameters.hyper_parameter import HyperParameter


class MomentumCoefficient(HyperParameter):
    """The momentum μ of the inner optimizer."""

    name = "momentum"


class Beta1(HyperParameter):
    """Adam's β₁: how slowly the mean of the gradients forgets."""

    name = "beta1"


class Beta2(HyperParameter):
    """Adam's β₂: how slowly the mean of the squared gradients forgets."""

    name = "beta2"


class Epsilon(HyperParameter):
    """Adam's ε, which makes the steps of parameters with small gradients small."""

    name = "epsilon"
