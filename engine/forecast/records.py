"""What a forecast says, and what it knows of the machine that it is for. Free of torch."""

from __future__ import annotations

from collections.abc import Iterable
from operator import add
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

FLOAT_BYTES = {"float32": 4, "float64": 8}
"""Of an entry of a tensor, by the precision of the spec."""

COUNTING = 4
"""Which way of counting work `Work` is of: raised with each change after which the times of earlier
runs, beside what was counted then, would mislead."""


class Record(BaseModel):
    """A plain, immutable document: the command line, the API and Postgres hold the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Work(Record):
    """What is computed, counted without computing it. Figures add up."""

    inner_steps: float = 0.0
    gradient_evaluations: float = 0.0
    hessian_vector_products: float = 0.0
    operations: float = 0.0
    """Calls of torch operations: each costs its dispatch, however small its tensors. One below a
    `vmap`, or that is recorded, counts as the plain ones that take as long."""
    flops: float = 0.0
    """Floating-point operations of matrix products and convolutions."""
    bytes_moved: float = 0.0
    """Bytes that all operations read and write; of those slower than an addition, as many as one
    moves in their time."""

    @property
    def figures(self) -> tuple[float, ...]:
        """In the order of the fields."""
        return tuple(getattr(self, name) for name in _FIGURES)

    @classmethod
    def of(cls, figures: Iterable[float]) -> Self:
        """That of `figures`."""
        return cls(**dict(zip(_FIGURES, map(float, figures), strict=True)))

    def __add__(self, other: Work) -> Work:
        return Work.of(map(add, self.figures, other.figures))

    def __mul__(self, times: float) -> Work:
        return Work.of(figure * times for figure in self.figures)


_FIGURES = tuple(Work.model_fields)


class Rates(Record):
    """How fast a machine computes, measured in a moment on one thread or one device."""

    operation_seconds: float = Field(gt=0.0)
    """Of one torch operation on tensors of a few entries."""
    flops_per_second: float = Field(gt=0.0)
    """In single precision."""
    double_flops_per_second: float = Field(gt=0.0)
    """In double precision, in which some devices are many times slower."""
    bytes_per_second: float = Field(gt=0.0)


class Machine(Record):
    """Where a run may go."""

    name: str
    device: Literal["cpu", "cuda"]
    memory_bytes: float = Field(gt=0.0)
    """What a run may have of it: of a CPU's memory the share of one of the worker's slots."""
    rates: Rates | None = None


class Group(Record):
    """What runs have in common whose times are compared."""

    inner_task: str
    """Its kind."""
    problem: str
    """A digest of the inner task with its options."""
    estimator: str


class Correction(Record):
    """How measured seconds have stood to those that the rates predict, over the runs of one group
    on one machine."""

    group: Group

    log_ratio: float
    """Mean of log(measured / predicted)."""
    log_deviation: float = Field(ge=0.0)
    """Its standard deviation; 0 of a single run."""
    runs: int = Field(ge=1)
    """Runs of one configuration count as one: repetitions say little of another configuration."""


class Calibration(Record):
    """What is known of a machine: its rates, and what finished runs teach."""

    machine: Machine
    corrections: list[Correction] = []


class EstimatorForecast(Record):
    """Of one estimator of a spec: one run, one seed, one point of a sweep."""

    spec: dict[str, Any]
    """The estimator's options."""
    label: str
    peak_bytes: int
    """Of one estimate, above what was there before it: what the series `peak_bytes` measures."""
    parts: dict[str, int]
    """`peak_bytes`, taken apart: graph, inner_state, tangents, solver, particles, …"""
    resident_bytes: int
    """What lies there all the time: data, θ, the outer optimizer's state, carries."""
    probe_bytes: int
    """Peak of a probe: the oracle, repeated draws, test figures, pictures."""
    run_bytes: int
    """What the run needs at its largest moment: resident, and the larger of estimate and probe."""
    estimate: Work
    """Of one outer step, its whole meta-batch."""
    run: Work
    """Of all outer steps, probes apart."""
    probes: Work
    """Of all probes of the run, with its test figures and pictures."""
    compiled: bool = False
    """Whether the inner loop is compiled: its calls are then few, and its seconds a rougher guess,
    of which nothing is learned for other runs."""
    step_seconds: float | None = None
    """Of one outer step; nothing without a calibration."""
    seconds: float | None = None
    """Of one run, its probes included; nothing where there are no `step_seconds`."""
    seconds_low: float | None = None
    seconds_high: float | None = None
    """The ends of its 90 % interval."""
    how: Literal["traced", "measured"] = "traced"
    """By traces that hang on no value, or where an operation defeats them, by tiny estimates."""
    notes: list[str] = []


class GraphSize(Record):
    """How big the computation graph of one inner loop is, counted.

    What is no float (indices, masks) counts by its bytes.
    """

    parameters: int
    """Of the learner."""
    meta_parameters: int
    state_floats: int
    """Of the state that one step hands to the next."""
    floats_per_step: int
    """Of the graph."""
    bytes_per_step: int
    horizon: int
    floats: int
    """Of the graph of the whole inner loop."""
    bytes: int
