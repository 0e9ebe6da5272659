"""Optimisation-based few-shot learning."""

from typing import Any, ClassVar, Literal

from engine.spec.inner_tasks.episodes import SMALL_EPISODES, EpisodeTask
from engine.spec.inner_tasks.inner_task import Shapes


class FewShot(EpisodeTask):
    """Few-shot classification by gradient steps on an episode's few images, as in MAML.

    The learner is the backbone with a linear head; the meta-loss is its cross-entropy on the
    episode's queries. Every seed has its own episode, so a learned initialisation asks for
    outer.inner_seed 'fresh'.
    """

    title: ClassVar[str] = "Few-shot classification by gradient steps"
    implementation: ClassVar[str] = "engine.inner_tasks.few_shot:FewShotTask"
    small: ClassVar[dict[str, Any]] = SMALL_EPISODES

    kind: Literal["few_shot"] = "few_shot"

    def parameter_shapes(self) -> Shapes:
        head = {"head.weight": (self.ways, self.features), "head.bias": (self.ways,)}
        return self.backbone_shapes() | head
