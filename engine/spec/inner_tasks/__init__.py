"""Inner tasks: what the learner learns, on which data, and the loss that judges it afterwards."""

from engine.spec.inner_tasks.architecture_choice import ArchitectureChoice
from engine.spec.inner_tasks.cell import Cell
from engine.spec.inner_tasks.episodes import EpisodeTask
from engine.spec.inner_tasks.few_shot import FewShot
from engine.spec.inner_tasks.few_shot_network import FewShotBlackBox, FewShotMetric
from engine.spec.inner_tasks.gradient_matching import GradientMatching
from engine.spec.inner_tasks.images import ImageCNN, ImageMLP, ImageTask
from engine.spec.inner_tasks.influence_balancing import InfluenceBalancing
from engine.spec.inner_tasks.inner_task import InnerTask, Shapes, last_layer
from engine.spec.inner_tasks.language import LanguageLSTM, LanguageTransformer
from engine.spec.inner_tasks.quadratic import NoisyQuadratic, Quadratic
from engine.spec.inner_tasks.sinusoid import Sinusoid
from engine.spec.inner_tasks.task_family import TaskFamily
from engine.spec.inner_tasks.toy_regression import ToyRegression

__all__ = [
    "BUILT_IN", "ArchitectureChoice", "Cell", "EpisodeTask", "FewShot", "FewShotBlackBox",
    "FewShotMetric", "GradientMatching", "ImageCNN", "ImageMLP", "ImageTask",
    "InfluenceBalancing", "InnerTask", "LanguageLSTM", "LanguageTransformer", "NoisyQuadratic",
    "Quadratic", "Shapes", "Sinusoid", "TaskFamily", "ToyRegression", "last_layer",
]  # fmt: skip

BUILT_IN = (
    Quadratic, NoisyQuadratic, InfluenceBalancing, ImageMLP, ImageCNN, Cell,
    ArchitectureChoice, FewShot, FewShotMetric, FewShotBlackBox,
    LanguageLSTM, LanguageTransformer, Sinusoid, GradientMatching, TaskFamily, ToyRegression,
)  # fmt: skip
