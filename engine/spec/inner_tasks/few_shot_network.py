"""Few-shot learners that take no gradient steps: non-parametric and black-box meta-learners."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, log2
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from engine.spec.errors import FieldError
from engine.spec.inner_tasks.episodes import SMALL_EPISODES, EpisodeTask
from engine.spec.inner_tasks.inner_task import Shapes
from engine.spec.options import option

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment


class NetworkTask(EpisodeTask):
    """What is learned from an episode is a state that a fixed network computes."""

    has_inner_loss: ClassVar[bool] = False
    reads: ClassVar[tuple[str, ...]] = ("network",)

    def network_shapes(self) -> Shapes:
        """Name and shape of every weight."""
        return self.backbone_shapes() | self.head_shapes()

    def head_shapes(self) -> Shapes:
        """Those of what stands on the backbone."""
        raise TypeError(f"{type(self).__name__} does not say what its head has")

    def parameter_shapes(self) -> Shapes:
        """The state: the features of the episode's images, and what the steps make of them."""
        return {
            "support": (self.ways * self.shots, self.features),
            "queries": (self.ways * self.queries, self.features),
            **self.memory_shapes(),
        }

    def memory_shapes(self) -> Shapes:
        """Of what the steps leave."""
        raise TypeError(f"{type(self).__name__} does not say what its steps leave")

    @property
    def steps(self) -> int:
        """How many inner steps it takes to have seen the support."""
        raise TypeError(f"{type(self).__name__} does not say how many steps it takes")

    def refusals(self, experiment: Experiment) -> Iterator[FieldError]:
        if experiment.inner.steps != self.steps:
            yield FieldError(
                "inner.steps",
                experiment.inner.steps,
                f"{self.kind!r} has read its {self.ways * self.shots} images after {self.steps} "
                f"inner step{'s' if self.steps > 1 else ''}; allowed: {self.steps}",
            )


class FewShotMetric(NetworkTask):
    """Few-shot classification without parameters of its own: a query is compared with the support.

    One inner step makes of the support's features what the queries are compared with. Prototypical
    (Snell et al., 2017): the mean of each class. Matching (Vinyals et al., 2016): attention to all
    images by cosine. Relation (Sung et al., 2018): a learned comparison. Ridge (R2D2, Bertinetto et
    al., 2019) and SVM (MetaOptNet, Lee et al., 2019): a linear classifier that is the solution of a
    convex problem, and is differentiated as such.
    """

    title: ClassVar[str] = "Few-shot classification by comparison"
    implementation: ClassVar[str] = "engine.inner_tasks.few_shot_metric:FewShotMetricTask"
    small: ClassVar[dict[str, Any]] = {**SMALL_EPISODES, "head": "ridge"}
    surroundings: ClassVar[tuple[dict[str, Any], ...]] = ({"inner": {"steps": 1}},)

    kind: Literal["few_shot_metric"] = "few_shot_metric"
    head: Literal["prototypical", "matching", "relation", "ridge", "svm"] = "prototypical"
    """How a query is compared with the support."""
    test_ways: int | None = option(None, ge=2, le=100, unit="classes")
    """Classes in an episode for testing; nothing means as many as in meta-training, where more
    than are tested teach more (Snell et al., 2017)."""
    units: int = option(32, ge=1, le=4096, unit="units")
    """Hidden units of the relation network's comparison; the other heads have none."""
    slack: float = option(0.1, gt=0.0, le=1e6)
    """Price C of an image on the wrong side of the SVM's margin; the other heads have none."""

    def head_shapes(self) -> Shapes:
        if self.head == "relation":
            return {
                "relation.hidden.weight": (self.units, 2 * self.features),
                "relation.hidden.bias": (self.units,),
                "relation.output.weight": (1, self.units),
            }
        return {
            "prototypical": {},
            "matching": {"head.scale": ()},
            "ridge": {"head.log_penalty": (), "head.scale": ()},
            "svm": {"head.scale": ()},
        }[self.head]

    def memory_shapes(self) -> Shapes:
        if self.head == "matching":
            return {"directions": (self.ways * self.shots, self.features)}
        convex = self.head in ("ridge", "svm")
        return {"weights" if convex else "prototypes": (self.ways, self.features)}

    @property
    def steps(self) -> int:
        return 1


class FewShotBlackBox(NetworkTask):
    """Few-shot classification by a network that reads the support, one image with its label a step.

    An LSTM keeps what it has read in its hidden state. SNAIL (Mishra et al., 2018) keeps all of it:
    causal convolutions of growing dilation, and attention to what was read so far.
    """

    title: ClassVar[str] = "Few-shot classification by a network that reads"
    implementation: ClassVar[str] = "engine.inner_tasks.few_shot_black_box:FewShotBlackBoxTask"
    small: ClassVar[dict[str, Any]] = {**SMALL_EPISODES, "units": 3, "reader": "snail"}
    surroundings: ClassVar[tuple[dict[str, Any], ...]] = ({"inner": {"steps": 4}},)

    kind: Literal["few_shot_black_box"] = "few_shot_black_box"
    reader: Literal["lstm", "snail"] = "lstm"
    """The network that reads the support."""
    units: int = option(64, ge=1, le=4096, unit="units")
    """Of the LSTM; or of every convolution, and of the keys and values of the attention."""

    @property
    def steps(self) -> int:
        return self.ways * self.shots

    @property
    def entries(self) -> int:
        """Of what is read in a step: the features of an image and its label."""
        return self.features + self.ways

    @property
    def convolutions(self) -> int:
        """Of SNAIL: their dilations 1, 2, 4, … reach from a query back to the first image."""
        return ceil(log2(self.steps + 1))

    @property
    def channels(self) -> int:
        """Of SNAIL's columns: what was read, and after it each convolution's units."""
        return self.entries + self.convolutions * self.units

    def head_shapes(self) -> Shapes:
        units = self.units
        if self.reader == "lstm":
            return {
                "lstm.input.weight": (4 * units, self.entries),
                "lstm.hidden.weight": (4 * units, units),
                "lstm.bias": (4 * units,),
                "head.weight": (self.ways, units),
                "head.bias": (self.ways,),
            }
        shapes: Shapes = {}
        for layer in range(self.convolutions):
            below = self.entries + layer * units
            shapes[f"convolutions.{layer}.weight"] = (2 * units, 2 * below)
            shapes[f"convolutions.{layer}.bias"] = (2 * units,)
        for part in ("query", "key", "value"):
            shapes[f"attention.{part}.weight"] = (units, self.channels)
        shapes["head.weight"] = (self.ways, self.channels + units)
        shapes["head.bias"] = (self.ways,)
        return shapes

    def memory_shapes(self) -> Shapes:
        if self.reader == "lstm":
            return {"hidden": (self.units,), "cell": (self.units,)}
        return {
            "columns": (self.steps, self.channels),
            "keys": (self.steps, self.units),
            "values": (self.steps, self.units),
        }
