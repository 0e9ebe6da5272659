"""Meta-parameters: which parts of the learner the outer loop learns, one file for each slot."""

from engine.spec.meta_parameters.architecture import Architecture, Controller
from engine.spec.meta_parameters.augmentation import AugmentationMagnitudes, AugmentationNetwork
from engine.spec.meta_parameters.dataset import DistilledImages
from engine.spec.meta_parameters.drive import Drive
from engine.spec.meta_parameters.dropouts import Dropouts
from engine.spec.meta_parameters.initialisation import Initialisation
from engine.spec.meta_parameters.learned_optimizers import (
    LSTMOptimizer,
    MetaLSTM,
    MLPOptimizer,
)
from engine.spec.meta_parameters.learning_rate import LearningRate
from engine.spec.meta_parameters.learning_rate_schedule import LearningRateSchedule
from engine.spec.meta_parameters.loss import ExampleWeights, LabelSmoothing, LossNetwork
from engine.spec.meta_parameters.meta_parameter import HyperParameter, MetaParameter
from engine.spec.meta_parameters.network import Network
from engine.spec.meta_parameters.optimizer import Beta1, Beta2, Epsilon, MomentumCoefficient
from engine.spec.meta_parameters.regularizer import L1Penalty, WeightDecay

__all__ = ["BUILT_IN", "HyperParameter", "LearningRate", "MetaParameter"]

BUILT_IN = (
    LearningRate,
    LearningRateSchedule,
    WeightDecay,
    L1Penalty,
    MomentumCoefficient,
    Beta1,
    Beta2,
    Epsilon,
    MLPOptimizer,
    LSTMOptimizer,
    MetaLSTM,
    Initialisation,
    Network,
    Drive,
    Dropouts,
    Architecture,
    Controller,
    AugmentationMagnitudes,
    AugmentationNetwork,
    LabelSmoothing,
    ExampleWeights,
    LossNetwork,
    DistilledImages,
)
