"""Meta-parameters: which parts of the learner the outer loop learns, one file for each slot."""

from typing import Annotated

from pydantic import Field

from engine.spec.meta_parameters.drive import Drive
from engine.spec.meta_parameters.initialisation import Initialisation
from engine.spec.meta_parameters.learning_rate import LearningRate
from engine.spec.meta_parameters.meta_parameter import HyperParameter, MetaParameter
from engine.spec.meta_parameters.optimizer import MomentumCoefficient
from engine.spec.meta_parameters.regularizer import WeightDecay

__all__ = ["AnyMetaParameter", "HyperParameter", "LearningRate", "MetaParameter"]

AnyMetaParameter = Annotated[
    LearningRate | WeightDecay | MomentumCoefficient | Initialisation | Drive,
    Field(discriminator="kind"),
]
