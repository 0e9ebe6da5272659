"""The dataset slot of a dynamical system: what is fed to it."""

from engine.meta_parameters.hyper_parameter import HyperParameter


class Drive(HyperParameter):
    """The constant input θ."""

    name = "drive"
