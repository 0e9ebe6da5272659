"""What may make an estimate smaller, as a table: where each has a place, and its price in kind.
Free of torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from engine.advice.stationarity import stationarity
from engine.forecast.records import EstimatorForecast
from engine.spec.experiment import Experiment

Price = Literal["exact", "variance", "bias", "another question"]
PRICES: tuple[Price, ...] = ("exact", "variance", "bias", "another question")
"""In the order of preference: `exact` leaves the estimate as it is, and costs time alone."""

FEW = 100
"""Meta-parameters up to which one tangent for each is offered: its time is theirs."""

Edits = dict[str, Any]
OWN = "estimators.0"
"""The only estimator of the experiment that is looked at."""


class Remedy(NamedTuple):
    """A change of the spec. `name` may hold `{value}`, the size that was found, and `because`
    `{ratio}`, how many times as large it was before."""

    name: str
    price: Price
    because: str
    edits: Callable[[Experiment, EstimatorForecast], Edits | None]
    """What to change; nothing where it has no place."""
    size: str | None = None
    """Path of a number that is made as large as fits."""
    most: int | None = None
    """The largest value of it that is offered."""


def _storage(storage: str) -> Callable[[Experiment, EstimatorForecast], Edits | None]:
    def edits(experiment: Experiment, found: EstimatorForecast) -> Edits | None:
        [estimator] = experiment.estimators
        before = getattr(estimator, "storage", storage)
        if before == storage:
            return None
        cleared = {f"{OWN}.segment": None} if getattr(estimator, "segment", None) else {}
        return {f"{OWN}.storage": storage, **cleared}

    return edits


def _option(name: str, value: Any) -> Callable[[Experiment, EstimatorForecast], Edits | None]:
    """Another value of an option that the estimator has."""

    def edits(experiment: Experiment, found: EstimatorForecast) -> Edits | None:
        [estimator] = experiment.estimators
        here = name in type(estimator).model_fields and getattr(estimator, name) != value
        return {f"{OWN}.{name}": value} if here else None

    return edits


def _chunk(experiment: Experiment, found: EstimatorForecast) -> Edits | None:
    """As many together as there are, from where the search for a chunk that fits goes down."""
    [estimator] = experiment.estimators
    if "chunk" not in type(estimator).model_fields or estimator.chunk == 1:
        return None
    several = [
        getattr(estimator, name, None)
        for name in ("particles", "population", "samples", "random_directions")
    ]
    count = next((count for count in several if count), experiment.meta_parameter_count())
    return {f"{OWN}.chunk": min(estimator.chunk or count, count, 20_000)}


def _one_by_one(experiment: Experiment, found: EstimatorForecast) -> Edits | None:
    together = experiment.outer.meta_batch > 1 and experiment.outer.together != "one_by_one"
    return {"outer.together": "one_by_one"} if together else None


def _offloaded(experiment: Experiment, found: EstimatorForecast) -> Edits | None:
    cuda = experiment.device == "cuda"
    return _option("offload", True)(experiment, found) if cuda else None


def _without_oracle(experiment: Experiment, found: EstimatorForecast) -> Edits | None:
    largest = experiment.probes.oracle and found.probe_bytes > found.peak_bytes
    return {"probes.oracle": False} if largest else None


def _forward(experiment: Experiment, found: EstimatorForecast) -> Edits | None:
    [estimator] = experiment.estimators
    few = experiment.meta_parameter_count() <= FEW and estimator.kind != "forward_mode"
    return {OWN: {"kind": "forward_mode"}} if few and estimator.exact else None


def _random_directions(experiment: Experiment, found: EstimatorForecast) -> Edits | None:
    [estimator] = experiment.estimators
    return {OWN: {"kind": "forward_mode", "random_directions": 8}} if estimator.exact else None


def _windows(experiment: Experiment, found: EstimatorForecast) -> Edits | None:
    [estimator] = experiment.estimators
    if not estimator.exact or experiment.inner.steps < 2:
        return None
    mode = "last_k" if experiment.objective == "final" else "windows"
    window = experiment.inner.steps - 1
    return {OWN: {"kind": "truncated", "mode": mode, "window": window}}


def _implicit(experiment: Experiment, found: EstimatorForecast) -> Edits | None:
    [estimator] = experiment.estimators
    stands = stationarity(experiment) == "reached"
    return {OWN: {"kind": "implicit"}} if estimator.exact and stands else None


def _first_order(experiment: Experiment, found: EstimatorForecast) -> Edits | None:
    [estimator] = experiment.estimators
    return {OWN: {"kind": "fomaml"}} if estimator.exact else None


def _float32(experiment: Experiment, found: EstimatorForecast) -> Edits | None:
    return {"precision": "float32"} if experiment.precision == "float64" else None


def _nothing_else(experiment: Experiment, found: EstimatorForecast) -> Edits | None:
    return {}


REMEDIES: tuple[Remedy, ...] = (
    Remedy("checkpointed storage", "exact", "the same gradient", _storage("checkpoint")),
    Remedy("per-step storage", "exact", "the same gradient", _storage("per_step")),
    Remedy("fewest checkpoints", "exact", "the same gradient", _option("segment", None)),
    Remedy("mixed mode", "exact", "the same gradient",
           _option("products", "forward_over_reverse")),
    Remedy("inner gradients not saved", "exact", "the same gradient",
           _option("save_gradients", False)),
    Remedy("offloaded to the CPU", "exact", "the same gradient", _offloaded),
    Remedy("{value} together in a chunk", "exact", "the same estimate", _chunk, f"{OWN}.chunk"),
    Remedy("inner loops of the meta-batch one by one", "exact", "the same mean", _one_by_one),
    Remedy("forward mode", "exact", "the same gradient", _forward),
    Remedy("no comparison with the exact meta-gradient", "exact", "the same estimate",
           _without_oracle),
    Remedy("{value} particles", "variance", "{ratio:.1f}× the variance", _nothing_else,
           f"{OWN}.particles"),
    Remedy("{value} proposals", "variance", "fewer of them in a generation", _nothing_else,
           f"{OWN}.population"),
    Remedy("{value} samples", "variance", "{ratio:.1f}× the variance", _nothing_else,
           f"{OWN}.samples"),
    Remedy("{value} inner loops in the meta-batch", "variance",
           "{ratio:.1f}× the variance between inner loops", _nothing_else, "outer.meta_batch"),
    Remedy("8 random directions", "variance", "of a variance that grows with θ",
           _random_directions),
    Remedy("implicit differentiation", "bias", "biased by what is left of the way and of the solve",
           _implicit),
    Remedy("window {value}", "bias", "biased", _windows, f"{OWN}.window", most=50),
    Remedy("window {value}", "bias", "more biased", _nothing_else, f"{OWN}.window"),
    Remedy("first order", "bias", "biased: no second derivatives", _first_order),
    Remedy("batches of {value}", "another question", "another inner loss", _nothing_else,
           "inner_task.batch_size"),
    Remedy("horizon {value}", "another question", "a shorter inner loop", _nothing_else,
           "inner.steps"),
    Remedy("single precision", "another question", "rounded to 7 digits", _float32),
)  # fmt: skip
