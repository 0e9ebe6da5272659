"""Estimators of the meta-gradient and searches over θ: their options and what they can handle."""

import math
from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from engine.spec.options import Options, option


class Estimator(Options):
    """Declared capabilities: the builder, the compatibility rules and the probes read them."""

    title: ClassVar[str]
    differentiates: ClassVar[bool] = True
    """Needs a meta-loss and inner steps with derivatives."""
    exact: ClassVar[bool] = False
    """Returns the meta-gradient itself, up to rounding."""
    stochastic: ClassVar[bool] = False
    """Draws random numbers of its own: repeated estimates at one θ differ."""
    needs_stationary_point: ClassVar[bool] = False
    """Assumes that the inner loop ends where the inner loss has zero gradient."""
    only_initialisation: ClassVar[bool] = False
    """Can learn the initial parameters and nothing else."""
    proposes: ClassVar[bool] = False
    """Is a search: proposes θ and has no gradient."""

    @property
    def label(self) -> str:
        """A short name that tells it from its neighbours in a comparison."""
        return self.title


class Unrolled(Estimator):
    """Backpropagation through the whole inner loop."""

    title: ClassVar[str] = "Unrolled"
    exact: ClassVar[bool] = True

    kind: Literal["unrolled"] = "unrolled"
    storage: Literal["full", "per_step", "checkpoint"] = "checkpoint"
    """Keep the graph of all steps; or the state of every step and one step's graph at a time; or
    states at checkpoints and one segment's graph at a time."""
    segment: int | None = option(None, ge=1, le=100_000, unit="inner steps")
    """Steps between two checkpoints; nothing means the square root of the horizon."""

    @field_validator("segment")
    @classmethod
    def _has_checkpoints(cls, segment: int | None, known: ValidationInfo) -> int | None:
        if segment is not None and known.data.get("storage") == "per_step":
            raise ValueError("a segment belongs to the storage 'checkpoint'; allowed here: nothing")
        return segment

    @property
    def label(self) -> str:
        segment = f" every {self.segment}" if self.segment else ""
        return f"Unrolled, {self.storage.replace('_', ' ')}{segment}"


class Truncated(Estimator):
    """Backpropagation through a window of K steps: cheaper, and biased to short horizons."""

    title: ClassVar[str] = "Truncated"

    kind: Literal["truncated"] = "truncated"
    mode: Literal["last_k", "windows"] = "last_k"
    """Through the last K steps only, or through slices of K steps with the gradient cut between."""
    window: int = option(10, ge=1, le=100_000, unit="inner steps")
    """Window K; at K = T the gradient is exact."""
    online: bool = False
    """One slice for each outer step, so that θ changes after every slice; needs windows."""
    schedule: Literal["fixed", "random", "growing"] = "fixed"
    """Length of an online slice: always K, log-uniform from K to the longest window, or doubled
    from K with every inner loop up to the longest window."""
    longest_window: int | None = option(None, ge=1, le=100_000, unit="inner steps")
    """Longest slice of the schedules random and growing; nothing means the horizon."""

    @field_validator("online")
    @classmethod
    def _in_slices(cls, online: bool, known: ValidationInfo) -> bool:
        if online and known.data.get("mode") == "last_k":
            raise ValueError("only slices can be online; allowed: false, or mode 'windows'")
        return online

    @field_validator("schedule")
    @classmethod
    def _of_online_slices(cls, schedule: str, known: ValidationInfo) -> str:
        if schedule != "fixed" and known.data.get("online") is False:
            raise ValueError("only online slices change in length; allowed: 'fixed'")
        return schedule

    @field_validator("longest_window")
    @classmethod
    def _not_below_window(cls, longest: int | None, known: ValidationInfo) -> int | None:
        if longest is None:
            return None
        if known.data.get("schedule") == "fixed":
            raise ValueError("the schedule 'fixed' has one length, the window; allowed: nothing")
        if longest < (window := known.data.get("window", longest)):
            raise ValueError(f"allowed: the window, {window}, and more")
        return longest

    @property
    def label(self) -> str:
        if self.mode == "last_k":
            return f"Truncated, last {self.window}"
        name = f"Truncated, {'online ' if self.online else ''}windows of {self.window}"
        if self.schedule == "fixed":
            return name
        longest = f" to {self.longest_window}" if self.longest_window else ""
        return f"{name}{longest}, {self.schedule}"


class Implicit(Estimator):
    """The implicit function theorem at the end of the inner loop: memory does not grow with T."""

    title: ClassVar[str] = "Implicit"
    needs_stationary_point: ClassVar[bool] = True
    most_entries: ClassVar[int] = 2_000
    """Beyond this many inner parameters the solver 'exact' is refused: its Hessian is too large."""

    kind: Literal["implicit"] = "implicit"
    solver: Literal["cg", "neumann", "identity", "normal_cg", "exact"] = "cg"
    """How H⁻¹ is applied: conjugate gradients, a Neumann series, not at all (H taken as I),
    conjugate gradients on H² v = H b (right at a saddle too), or with H written out (small w)."""
    iterations: int = option(20, ge=1, le=10_000, unit="Hessian-vector products")
    """Iterations of conjugate gradients (two products each for normal_cg), or terms of the
    Neumann series."""
    damping: float = option(0.0, ge=0.0, le=1e6)
    """Added to the diagonal of the Hessian: (H + δI)."""
    step_size: float = option(0.1, gt=0.0, le=1e3)
    """Step α of the Neumann series; it converges for α below 2 / (largest eigenvalue)."""

    @property
    def label(self) -> str:
        if self.solver in ("identity", "exact"):
            return f"Implicit, {self.solver}"
        return f"Implicit, {self.solver} {self.iterations}"


class FirstOrder(Estimator):
    """Takes dw_t/dw_0 as the identity: for learned initial parameters."""

    only_initialisation: ClassVar[bool] = True


class FOMAML(FirstOrder):
    """First-order MAML: the gradient at the learned parameters, without second derivatives."""

    title: ClassVar[str] = "First-order MAML"

    kind: Literal["fomaml"] = "fomaml"


class Reptile(FirstOrder):
    """θ − w_T: from the learned parameters back to the first ones; never asks the meta-loss."""

    title: ClassVar[str] = "Reptile"
    differentiates: ClassVar[bool] = False

    kind: Literal["reptile"] = "reptile"


class ForwardMode(Estimator):
    """Tangents carried along the inner loop: exact, memory constant in T, cost grows with dim θ."""

    title: ClassVar[str] = "Forward mode"
    exact: ClassVar[bool] = True
    most_tangents: ClassVar[int] = 20_000
    """Beyond this many meta-parameters forward mode is refused, not left running for days."""

    kind: Literal["forward_mode"] = "forward_mode"
    chunk: int = option(8, ge=1, le=4096, unit="tangents")
    """Tangents carried together; more is faster and needs more memory."""


class Evolution(Estimator):
    """Evolution strategies: the gradient of a smoothed meta-loss from perturbed evaluations."""

    title: ClassVar[str] = "Evolution strategies"
    differentiates: ClassVar[bool] = False
    stochastic: ClassVar[bool] = True

    kind: Literal["evolution"] = "evolution"
    mode: Literal["antithetic"] = "antithetic"
    """Each perturbation is used with both signs, on the same batches."""
    particles: int = option(32, ge=2, le=1_000_000, multiple_of=2, unit="particles")
    """Evaluations of the meta-loss in one estimate: half of them with −ε."""
    sigma: float = option(0.01, gt=0.0, le=1e3)
    """Standard deviation σ of the perturbations of θ."""
    chunk: int = option(16, ge=1, le=65_536, unit="particles")
    """Particles evaluated together; more is faster for small models and needs more memory."""

    @property
    def label(self) -> str:
        return f"Evolution, {self.particles} particles, σ = {self.sigma:g}"


class Elites(Estimator):
    """The lecture's search: sample N(μ, σ²), keep the best, refit (cross-entropy method)."""

    title: ClassVar[str] = "Elites"
    differentiates: ClassVar[bool] = False
    stochastic: ClassVar[bool] = True
    proposes: ClassVar[bool] = True

    kind: Literal["elites"] = "elites"
    population: int = option(32, ge=2, le=1_000_000, unit="particles")
    """Proposals in one generation."""
    elites: int = option(8, ge=2, le=1_000_000, unit="particles")
    """How many of the best are kept to refit the distribution."""
    sigma: float = option(0.1, gt=0.0, le=1e3)
    """Standard deviation of the first generation, in the units of θ."""
    chunk: int = option(16, ge=1, le=65_536, unit="particles")
    """Particles evaluated together; more is faster for small models and needs more memory."""

    @field_validator("elites")
    @classmethod
    def _within_population(cls, elites: int, known: ValidationInfo) -> int:
        population = known.data.get("population", elites)
        if elites > population:
            raise ValueError(f"allowed: 2 to at most the population, {population}")
        return elites

    @property
    def label(self) -> str:
        return f"Elites, {self.elites} of {self.population}"


class BoxSearch(Estimator):
    """What the searches inside a box have in common: the box, and how many proposals at a time."""

    differentiates: ClassVar[bool] = False
    stochastic: ClassVar[bool] = True
    proposes: ClassVar[bool] = True

    kind: str
    low: float = option(0.0, ge=-1e6, le=1e6)
    """Lowest value of every entry of θ; where the scale is log, θ is the natural logarithm."""
    high: float = option(1.0, ge=-1e6, le=1e6)
    """Highest value of every entry of θ; where the scale is log, θ is the natural logarithm."""
    population: int = option(8, ge=1, le=1_000_000, unit="particles")
    """Proposals in one generation."""
    chunk: int = option(16, ge=1, le=65_536, unit="particles")
    """Particles evaluated together; more is faster for small models and needs more memory."""

    @field_validator("high")
    @classmethod
    def _above_low(cls, high: float, known: ValidationInfo) -> float:
        if high <= (low := known.data.get("low", -math.inf)):
            raise ValueError(f"allowed: more than low, {low:g}")
        return high

    @property
    def label(self) -> str:
        return f"{self.title}, {self.population} in [{self.low:g}, {self.high:g}]"


class RandomSearch(BoxSearch):
    """Independent uniform proposals in a box; keeps the best (Bergstra and Bengio, 2012)."""

    title: ClassVar[str] = "Random search"

    kind: Literal["random"] = "random"


class GridSearch(BoxSearch):
    """Every point of a regular grid once, in an order that the seed shuffles; keeps the best."""

    title: ClassVar[str] = "Grid search"
    most_points: ClassVar[int] = 1_000_000
    """A grid of more points than this is refused: it grows with the power of dim θ."""

    kind: Literal["grid"] = "grid"
    points: int = option(400, ge=2, le=1_000_000, unit="points")
    """Values of every entry of θ, both ends among them; the grid has points^(dim θ) points."""

    @property
    def label(self) -> str:
        return f"Grid search, {self.points} in [{self.low:g}, {self.high:g}]"


class Bayesian(BoxSearch):
    """Optuna's tree of Parzen estimators in a box; keeps the best (Bergstra et al., 2011)."""

    title: ClassVar[str] = "Bayesian search"
    most_dimensions: ClassVar[int] = 100
    """Beyond this many meta-parameters its model of the meta-loss is no better than chance."""

    kind: Literal["bayesian"] = "bayesian"


class CMAES(Estimator):
    """Covariance matrix adaptation: a search that learns the shape of N(μ, σ²C) (Hansen, 2016)."""

    title: ClassVar[str] = "CMA-ES"
    differentiates: ClassVar[bool] = False
    stochastic: ClassVar[bool] = True
    proposes: ClassVar[bool] = True
    most_dimensions: ClassVar[int] = 1_000
    """Beyond this many meta-parameters the covariance is too large to decompose every step."""

    kind: Literal["cma_es"] = "cma_es"
    population: int = option(16, ge=5, le=1_000_000, unit="particles")
    """Proposals in one generation."""
    sigma: float = option(0.1, gt=0.0, le=1e3)
    """Step size σ of the first generation, in the units of θ."""
    chunk: int = option(16, ge=1, le=65_536, unit="particles")
    """Particles evaluated together; more is faster for small models and needs more memory."""

    @property
    def label(self) -> str:
        return f"CMA-ES, {self.population} particles, σ = {self.sigma:g}"


AnyEstimator = Annotated[
    Unrolled
    | Truncated
    | Implicit
    | FOMAML
    | Reptile
    | ForwardMode
    | Evolution
    | Elites
    | CMAES
    | RandomSearch
    | GridSearch
    | Bayesian,
    Field(discriminator="kind"),
]
