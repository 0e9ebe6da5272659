"""What a run says while it runs. Free of torch: the recorder and the tests read these anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from engine.pictures import Picture

Status = Literal["finished", "out_of_budget", "failed"]

MEASURED_SERIES = frozenset({"seconds", "step_seconds", "probe_seconds"})
"""Series that depend on the machine's clock; every other one is the same on every repetition."""
MOST_RECORDED_ENTRIES = 16
"""Up to this many meta-parameters are recorded one by one."""


@dataclass(frozen=True, kw_only=True)
class Started:
    """The first event of a run: what is about to run, where, with which code."""

    run: int
    label: str
    seed: int
    outer_steps: int
    horizon: int
    meta_parameter_count: int
    device: str
    code_version: str
    resumed_from: int = 0
    """Outer steps that a checkpoint had already finished."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """The figures of one outer step. A series that was not measured at this step is absent.

    Always: `meta_loss`, `gradient_norm` (absent for a search), `inner_steps` (cumulative),
    `gradient_evaluations` (cumulative; a product with second derivatives counts as two),
    `seconds` (cumulative, estimates only), `step_seconds`. At a probe also: `bias`,
    `bias_relative`, `cosine`, `variance`, `variance_relative`, `oracle_norm`, `peak_bytes`,
    `probe_seconds`; and for an estimator that draws, `<name>_low` and `<name>_high` of the two
    biases and variances, the ends of their 95 % confidence intervals. With `smoothed_draws`:
    `smoothed_norm`, `smoothed_standard_error`, `smoothing_distance`, `bias_smoothed_relative`.
    Where an estimator has them, the figures of its health record: `adjoint_norm`, `residual`,
    `inner_gradient_norm`, `negative_curvature` (1 where the solve met a direction along which the
    Hessian is negative), `effective_sample_size`. Of a search: `sigma`, `best`. Where the outer
    loop clips: `clipped`, 1 where the meta-gradient was longer than allowed (`gradient_norm` is
    its norm before), else 0.
    Where the inner task has them, at a probe and at the last step: what the learner reaches on
    examples or tasks that neither loop has seen, such as `test_accuracy` and `test_loss`.
    With few meta-parameters: `theta.<name>` or `theta.<name>.<index>`.
    """

    run: int
    step: int
    """Outer steps finished before this one: the first point has 0."""
    values: dict[str, float]
    """Series name to value; may be non-finite, and then is recorded as it is."""


@dataclass(frozen=True, kw_only=True)
class Note:
    """A sentence for the run's log."""

    run: int
    step: int
    level: Literal["info", "warning", "error"]
    message: str


@dataclass(frozen=True, kw_only=True)
class Pictured:
    """A picture of what has been learned after `step` outer steps; it replaces one of the same
    name and step."""

    run: int
    step: int
    picture: Picture


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A state from which the run can go on. `step` outer steps are finished."""

    run: int
    step: int
    state: dict[str, Any] = field(repr=False)
    """Tensors and plain values; `torch.save` writes it, `weights_only=True` reads it."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The last event of a run."""

    run: int
    status: Status
    step: int
    """Outer steps finished."""
    summary: dict[str, float | None]
    """Last value of every series, and `best_…` of each that has a better direction
    (`engine.directions`)."""
    reason: str = ""
    """Why it stopped early, in a sentence; empty where it did not."""


Event = Started | Point | Pictured | Note | Checkpoint | Finished
