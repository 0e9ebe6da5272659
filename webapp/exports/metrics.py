"""The series that pages, figures and exports know by name: title, unit, scale and meaning."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.directions import BETTER, Better

Unit = Literal["", "s", "B", "%"]
"""Of `%` the values are shares, in [0, 1]."""
Summary = Literal["last", "mean", "median", "max"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One series of a run, and how it is shown everywhere."""

    name: str
    title: str
    explanation: str
    """One sentence for somebody who meets it for the first time."""
    unit: Unit = ""
    log: bool = False
    """Whether its axis is logarithmic unless the reader says otherwise."""
    limits: tuple[float, float] | None = None
    """Its lowest and highest possible value, where a linear axis should show them."""
    summary: Summary = "last"
    """How a table condenses the series of one run into one number."""

    @property
    def axis_title(self) -> str:
        return f"{self.title} ({self.unit})" if self.unit else self.title

    @property
    def better(self) -> Better | Literal[""]:
        """Which way it is better; "" where neither is."""
        return BETTER.get(self.name, "")

    @property
    def best_title(self) -> str:
        return f"{self.title}, best"

    @property
    def best_explanation(self) -> str:
        """What the best value of a run is, of a metric that has a direction."""
        return f"The {_EXTREMES[BETTER[self.name]]} of a run so far. {self.explanation}"


_EXTREMES: dict[Better, str] = {"lower": "lowest", "higher": "highest"}
SUMMARY_WORDS: dict[Summary, str] = {
    "last": "last step",
    "mean": "mean of the probes",
    "median": "median",
    "max": "peak",
}
BEST_WORDS = "best step"
"""Of a metric with a direction, in place of `SUMMARY_WORDS` where the reader asks for the best."""

_CATALOGUE = (
    Metric(
        name="meta_loss",
        title="Meta-loss",
        explanation="Loss on held-out examples after the inner loop; the outer loop minimises it.",
    ),
    Metric(
        name="bias_relative",
        title="Bias / oracle norm",
        log=True,
        summary="mean",
        explanation="Distance of the expected estimate from the exact meta-gradient, "
        "over the exact one's norm.",
    ),
    Metric(
        name="cosine",
        title="Cosine to the oracle",
        limits=(-1.0, 1.0),
        summary="mean",
        explanation="1 where the estimate points along the exact meta-gradient, "
        "−1 where it points the opposite way.",
    ),
    Metric(
        name="variance_relative",
        title="Variance / oracle norm²",
        log=True,
        summary="mean",
        explanation="Spread of repeated estimates at one θ; zero for an estimator "
        "that draws no random numbers.",
    ),
    Metric(
        name="peak_bytes",
        title="Peak memory",
        unit="B",
        log=True,
        summary="max",
        explanation="Most bytes of tensors alive at once during one estimate, above those before.",
    ),
    Metric(
        name="step_seconds",
        title="Time per step",
        unit="s",
        log=True,
        summary="median",
        explanation="Seconds of one outer step's estimate and update; probes are not counted.",
    ),
    Metric(
        name="gradient_norm",
        title="Meta-gradient norm",
        log=True,
        explanation="Length of the estimated meta-gradient.",
    ),
    Metric(
        name="clipped",
        title="Meta-gradient clipped",
        limits=(0.0, 1.0),
        explanation="1 at an outer step whose meta-gradient was longer than outer.clip_norm and "
        "was shortened to it; 0 at any other.",
    ),
    Metric(
        name="bias",
        title="Bias",
        log=True,
        summary="mean",
        explanation="Norm of the difference between the expected estimate and the exact "
        "meta-gradient.",
    ),
    Metric(
        name="variance",
        title="Variance",
        log=True,
        summary="mean",
        explanation="Trace of the covariance of repeated estimates at one θ.",
    ),
    Metric(
        name="oracle_norm",
        title="Oracle norm",
        log=True,
        explanation="Length of the exact meta-gradient at the current θ.",
    ),
    Metric(
        name="test_accuracy",
        title="Test accuracy",
        unit="%",
        explanation="Share of examples that neither loop has seen which the learner classifies "
        "correctly at the end of its inner loop.",
    ),
    Metric(
        name="test_loss",
        title="Test loss",
        explanation="Loss at the end of the inner loop on examples or tasks that neither loop has "
        "seen.",
    ),
    Metric(
        name="test_perplexity",
        title="Test perplexity",
        explanation="How many characters the model is as uncertain between, on text that neither "
        "loop has seen: the exponential of its cross-entropy.",
    ),
    Metric(
        name="test_accuracy_real",
        title="Test accuracy from real images",
        unit="%",
        explanation="The same after training on as many random real images: what distilled ones "
        "must beat.",
    ),
    Metric(
        name="test_accuracy_mixed",
        title="Test accuracy of the mixed cell",
        unit="%",
        explanation="The same with all operations mixed by their weights, before one is chosen for "
        "each edge.",
    ),
    Metric(
        name="test_accuracy_random",
        title="Test accuracy of random architectures",
        unit="%",
        explanation="The mean over architectures that nothing chose: what the chosen one must "
        "beat.",
    ),
    Metric(
        name="test_accuracy_best",
        title="Test accuracy of the best architecture",
        unit="%",
        explanation="Of the architecture that an exhaustive search over all of them picks.",
    ),
    Metric(
        name="architecture_rank",
        title="Rank of the chosen architecture",
        log=True,
        explanation="Its place among all architectures by meta-loss; 1 is the best there is.",
    ),
    Metric(
        name="weight_of_clean",
        title="Weight of clean examples",
        explanation="Mean learned weight of the training examples whose label is right.",
    ),
    Metric(
        name="weight_of_corrupted",
        title="Weight of mislabelled examples",
        explanation="Mean learned weight of the training examples whose label is wrong.",
    ),
    Metric(
        name="test_loss_adam",
        title="Loss on unseen tasks with Adam",
        explanation="The same figure as the test loss, of Adam with its learning rate tuned on as "
        "many inner steps of other tasks of the family.",
    ),
    Metric(
        name="transfer_loss",
        title="Loss on tasks of another kind",
        explanation="Meta-loss of the learned optimizer on tasks that it was not trained on.",
    ),
    Metric(
        name="transfer_loss_adam",
        title="Loss on tasks of another kind with Adam",
        explanation="Meta-loss on the same tasks with Adam, its learning rate tuned on as many "
        "inner steps.",
    ),
    Metric(
        name="inner_steps",
        title="Inner steps",
        explanation="Inner steps run so far by the estimates, probes not counted.",
    ),
    Metric(
        name="gradient_evaluations",
        title="Gradient evaluations",
        explanation="Gradients of the inner loss taken so far by the estimates, probes not "
        "counted; a product with its second derivatives counts as two.",
    ),
    Metric(
        name="seconds",
        title="Time",
        unit="s",
        explanation="Seconds spent so far in the estimates and updates, probes not counted.",
    ),
    Metric(
        name="probe_seconds",
        title="Time per probe",
        unit="s",
        summary="median",
        explanation="Seconds of one probe: what measuring costs, beside the estimates.",
    ),
    Metric(
        name="residual",
        title="Solver residual",
        log=True,
        explanation="‖Hv − b‖ / ‖b‖ of the implicit estimator's linear solve: large means that the "
        "estimate cannot be trusted.",
    ),
    Metric(
        name="inner_gradient_norm",
        title="Inner gradient norm",
        log=True,
        explanation="‖∇L(w_T)‖: implicit differentiation assumes that it is zero.",
    ),
    Metric(
        name="negative_curvature",
        title="Negative curvature",
        limits=(0.0, 1.0),
        explanation="1 where the solve met a direction that curves down: w_T is no minimum, "
        "and the estimate misleads.",
    ),
    Metric(
        name="adjoint_norm",
        title="Adjoint norm",
        log=True,
        explanation="Largest norm of the adjoint at the starts of the segments of the way back (of "
        "full storage there is one); one that grows without bound breaks the meta-gradient.",
    ),
    Metric(
        name="effective_sample_size",
        title="Effective sample size",
        explanation="How many antithetic pairs count in the estimate: near 1, a single one "
        "decides.",
    ),
    Metric(
        name="smoothing_distance",
        title="Smoothing / oracle norm",
        log=True,
        summary="mean",
        explanation="Distance of the smoothed meta-loss's gradient from the exact meta-gradient, "
        "over the latter's norm.",
    ),
    Metric(
        name="bias_smoothed_relative",
        title="Bias / smoothed norm",
        log=True,
        summary="mean",
        explanation="Distance of the expected estimate from the smoothed meta-loss's gradient, "
        "over its norm; 0 within the noise.",
    ),
    Metric(
        name="smoothed_norm",
        title="Smoothed norm",
        log=True,
        explanation="Length of the smoothed meta-loss's gradient.",
    ),
    Metric(
        name="smoothed_standard_error",
        title="Error of the smoothed gradient",
        log=True,
        explanation="Standard error of the smoothed meta-loss's gradient, as it was sampled; "
        "comparisons with it are corrected for it.",
    ),
    Metric(
        name="sigma",
        title="Search width σ",
        log=True,
        explanation="Standard deviation of the search distribution over θ.",
    ),
    Metric(
        name="best",
        title="Best meta-loss of the generation",
        explanation="Lowest meta-loss of this generation's proposals.",
    ),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _CATALOGUE}

PAGE_METRICS = (
    "meta_loss",
    "bias_relative",
    "cosine",
    "variance_relative",
    "peak_bytes",
    "step_seconds",
    "gradient_norm",
)
"""The charts that every page of runs has a place for, before any point has come."""

TEST_METRICS = tuple(
    name for name in METRICS if name.startswith(("test_", "transfer_", "architecture_", "weight_"))
)
"""What is reached on what neither loop has seen, and beside it; shown where runs have it."""

TABLE_METRICS = (*PAGE_METRICS[:6], "seconds")
"""The columns of a comparison's summary table, which has those of `TEST_METRICS` too where a run
has them."""


def with_tests(names: Sequence[str], measured: Container[str]) -> list[str]:
    """`names` with those of `TEST_METRICS` that are `measured` after the first, the meta-loss."""
    first, *others = names
    return [first, *(name for name in TEST_METRICS if name in measured), *others]


def interval_of(name: str) -> tuple[str, str]:
    """The series with the ends of the confidence interval that a run may measure of `name`."""
    return f"{name}_low", f"{name}_high"


META_PARAMETER_PREFIX = "theta."
LONGEST_NAME = 120


def find_metric(name: str) -> Metric | None:
    """The metric called `name`, a meta-parameter's `theta.*` among them; `None` if none is."""
    if name.startswith(META_PARAMETER_PREFIX) and len(name) <= LONGEST_NAME:
        parameter = name.removeprefix(META_PARAMETER_PREFIX)
        return Metric(
            name=name,
            title=f"θ: {parameter}",
            explanation=f"Value of the meta-parameter {parameter} before each outer step.",
        )
    return METRICS.get(name)
