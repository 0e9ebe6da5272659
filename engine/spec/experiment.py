"""The experiment: one document that a run, a form, an API call and a paper's appendix all read."""

import unicodedata
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from engine.spec.compatibility import refuse_impossible_pairs
from engine.spec.estimators import Unrolled
from engine.spec.inner_loop import InnerLoop
from engine.spec.inner_tasks import ImageMLP, Shapes, last_layer
from engine.spec.installed import AnyEstimator, AnyInnerTask, AnyMetaParameter
from engine.spec.meta_parameters import LearningRate
from engine.spec.options import Options, option

NOT_IN_A_NAME = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode's control characters, lone surrogates, and separators of lines and paragraphs."""


class OuterOptimizer(Options):
    """What every outer update rule has."""

    learning_rate: float = option(0.001, gt=0.0, le=1e3)
    """Outer step size."""
    schedule: Literal["constant", "cosine"] = "constant"
    """The outer step size stays, or falls to 0 over the outer steps along half a cosine, which
    averages out the noise of fresh episodes at the end."""


class AdamOuter(OuterOptimizer):
    """torch.optim.Adam on the meta-parameters."""

    kind: Literal["adam"] = "adam"


class SGDOuter(OuterOptimizer):
    """torch.optim.SGD on the meta-parameters."""

    kind: Literal["sgd"] = "sgd"


class OuterLoop(Options):
    """How the meta-parameters are updated from the meta-gradients."""

    steps: int = option(50, ge=1, le=100_000, unit="outer steps")
    """Updates of the meta-parameters (or generations of a search)."""
    optimizer: Annotated[AdamOuter | SGDOuter, Field(discriminator="kind")] = Field(
        default_factory=AdamOuter
    )
    """Outer update rule; a search does without."""
    clip_norm: float | None = option(None, gt=0.0, le=1e12)
    """A longer meta-gradient is shortened to this norm before the update; nothing means never. A
    search does without."""
    meta_batch: int = option(1, ge=1, le=256, unit="inner loops")
    """Inner loops, of different seeds, whose meta-gradients are averaged."""
    inner_seed: Literal["fixed", "fresh"] = "fixed"
    """The same initial state and batches at every outer step, or new ones each time."""
    together: Literal["auto", "all", "one_by_one"] = "auto"
    """Whether the inner loops of a meta-batch are estimated as one, where the estimate of their
    mean is the mean of their estimates, or each alone, in less memory; auto: the small ones."""


class Probes(Options):
    """What is measured beside the estimates; its cost is never counted as the estimator's."""

    every: int = option(10, ge=1, le=100_000, unit="outer steps")
    """Outer steps between two probes; the first step is always probed."""
    oracle: bool = True
    """Compare with the exact meta-gradient."""
    oracle_precision: Literal["run", "float64"] = "run"
    """Format of the exact meta-gradient: that of the run, or double precision, which shows the
    run's own rounding too, at up to twice the cost on a CPU. A closed form is always double."""
    draws: int = option(16, ge=2, le=10_000, unit="draws")
    """Repeated estimates at one θ, which give a random estimator's bias and variance; from three on
    with 95 % confidence intervals."""
    smoothed_draws: int = option(0, ge=0, le=10_000, multiple_of=4, unit="gradients")
    """Exact meta-gradients at perturbed θ, whose mean an evolution strategy aims at: the gradient
    of its smoothed meta-loss. 0 means none."""
    test: bool = True
    """Measure what the learner reaches on examples or tasks that neither loop has seen, and draw
    what was learned, where the inner task or a meta-parameter can; after the last outer step
    too."""
    memory: bool = True
    """Measure the peak bytes of live tensors during an estimate."""


class Budget(Options):
    """What a run may use; past it, it stops with a checkpoint and says so."""

    seconds: float | None = option(None, gt=0.0, le=1e8, unit="s")
    """Longest time of one run."""
    bytes: float | None = option(None, gt=0.0, le=1e15, unit="bytes")
    """Largest peak of live tensors in one estimate."""


class Experiment(Options):
    """An experiment: a comparison of estimators on one inner task, over seeds and a sweep."""

    name: str = option("untitled", min_length=1, max_length=200)
    """What the experiment is called in lists and figures."""
    inner_task: AnyInnerTask = Field(default_factory=ImageMLP)
    """What the learner learns."""
    inner: InnerLoop = Field(default_factory=InnerLoop)
    """How the learner learns."""
    meta_parameters: list[AnyMetaParameter] = Field(
        default_factory=lambda: [LearningRate()], min_length=1, max_length=8
    )
    """Which parts of the learner are meta-learned."""
    objective: Literal["final", "average"] = "final"
    """Judge the final state only, or the average over the states after every inner step."""
    estimators: list[AnyEstimator] = Field(
        default_factory=lambda: [Unrolled()], min_length=1, max_length=24
    )
    """The estimators and searches to compare."""
    outer: OuterLoop = Field(default_factory=OuterLoop)
    """How the meta-parameters are learned."""
    sweep: dict[str, Annotated[list[Any], Field(min_length=1)]] = option(
        default_factory=dict, max_length=4
    )
    """Fields to vary, by dotted path, each with its values; every combination is a run."""
    seeds: list[Annotated[int, Field(ge=0, lt=2**31)]] = option(
        default_factory=lambda: [0], min_length=1, max_length=100
    )
    """Seeds of the initial state, the batches and the perturbations; each is a run."""
    probes: Probes = Field(default_factory=Probes)
    """What is measured beside the estimates."""
    budget: Budget = Field(default_factory=Budget)
    """What a run may use."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where tensors live; auto takes CUDA where there is a device."""
    precision: Literal["float32", "float64"] = "float32"
    """Floating-point format of every tensor."""
    threads: int = option(1, ge=1, le=256, unit="threads")
    """CPU threads of one run. Part of the spec because it can change the last bits of a sum."""

    @field_validator("name")
    @classmethod
    def _one_line_of_text(cls, name: str) -> str:
        for character in name:
            if unicodedata.category(character) in NOT_IN_A_NAME:
                code = f"U+{ord(character):04X}"
                raise ValueError(f"allowed: one line of text, without the character {code}")
        return name

    @model_validator(mode="after")
    def _possible(self) -> Self:
        refuse_impossible_pairs(self)
        return self

    @property
    def measures_memory(self) -> bool:
        """Whether a probe measures the peak of an estimate: a budget of bytes needs it too."""
        return self.probes.memory or self.budget.bytes is not None

    def inner_parameter_shapes(self) -> Shapes:
        """Name and shape of every tensor that the inner loop moves."""
        adapted = [getattr(item, "adapts", "all") for item in self.meta_parameters]
        shapes = self.inner_task.parameter_shapes()
        if "last_layer" not in adapted:
            return shapes
        return {name: shapes[name] for name in last_layer(shapes)}

    def meta_parameter_count(self) -> int:
        """Number of scalars that the outer loop learns (dim θ)."""
        return sum(item.entries(self) for item in self.meta_parameters)
