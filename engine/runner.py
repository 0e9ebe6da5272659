"""A whole experiment as a stream of events.

The consumer decides what to do with them: record, draw, or stop listening (which cancels the run
at the end of an outer step). A checkpoint goes on exactly where it was taken: every later figure
that does not depend on the clock is bitwise the same on the CPU.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator

import torch

from engine.building import device_of
from engine.events import Checkpoint, Event, Finished, Note, Pictured, Point, Started, Status
from engine.obstacle import Obstacle, errors, refusal
from engine.outer_loop import Descent, Generations, build_outer_loop
from engine.pictures import Picture
from engine.population import Share
from engine.preflight import Refused, built, preflight_run
from engine.problem import Problem
from engine.spec import Experiment, PlannedRun, expand
from engine.spec.experiment import Budget
from engine.summary import Summary, updated
from engine.version import code_version

CHECKPOINT_SECONDS = 5.0
"""At most this much work is lost with a worker."""


def run(
    experiment: Experiment,
    resume: Checkpoint | None = None,
    *,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    checkpoint_now: Callable[[], bool] = lambda: False,
    reason_to_stop: Callable[[], str] = lambda: "",
    share: Share | None = None,
) -> Iterator[Event]:
    """Run every planned run of `experiment` in order; each starts with `Started` and ends with
    `Finished`. A run that preflight refuses ends at once, with the reason.

    `resume` is a checkpoint of an earlier, interrupted call with the same experiment: runs before
    its own are left out, and its own goes on after it. A checkpoint is taken after the first outer
    step that ends `checkpoint_seconds` after the last one, and after every one for which
    `checkpoint_now` says so: whoever wants to stop waits for that. `reason_to_stop` is asked after
    every outer step: a sentence ends the run there as out of budget, an empty one does not.
    `share` may have others evaluate parts of a population: no figure depends on who does.
    Raises `engine.data.DataMissing` where data must be fetched first, `RuntimeError` for a device
    that is not there, and what torch raises when memory runs out.
    """

    def due(since: float) -> bool:
        return time.monotonic() - since > checkpoint_seconds or checkpoint_now()

    for planned in expand(experiment):
        if resume is None or planned.index > resume.run:
            yield from _run_one(planned, None, due, reason_to_stop, share)
        elif planned.index == resume.run:
            yield from _run_one(planned, resume, due, reason_to_stop, share)


def _run_one(
    planned: PlannedRun,
    resume: Checkpoint | None,
    checkpoint_is_due: Callable[[float], bool],
    reason_to_stop: Callable[[], str],
    share: Share | None,
) -> Iterator[Event]:
    experiment = planned.spec
    torch.set_num_threads(experiment.threads)
    problem, obstacles = _prepared(experiment)
    resumed_from = resume.step if resume else 0
    summary: Summary = dict(resume.state["summary"]) if resume else {}
    spent_before = resume.state["spent"] if resume else 0.0
    yield Started(
        run=planned.index,
        label=planned.label,
        seed=planned.seed,
        outer_steps=experiment.outer.steps,
        horizon=experiment.inner.steps,
        meta_parameter_count=experiment.meta_parameter_count(),
        device=str(device_of(experiment)),
        code_version=code_version(),
        resumed_from=resumed_from,
    )
    for obstacle in obstacles if resume is None else []:
        if obstacle.level == "warning":
            yield Note(run=planned.index, step=0, level="warning", message=str(obstacle))
    if problem is None or errors(obstacles):
        yield Finished(
            run=planned.index,
            status="failed",
            step=resumed_from,
            summary=summary,
            reason=refusal(obstacles),
        )
        return
    loop = build_outer_loop(experiment, problem, share)
    if resume is not None:
        loop.restore(copy.deepcopy(resume.state["loop"]), resume.step)

    started = saved = time.monotonic()
    told: set[str] = set()

    def spent() -> float:
        return spent_before + time.monotonic() - started

    def checkpoint() -> Checkpoint:
        state = {"loop": copy.deepcopy(loop.state()), "summary": dict(summary), "spent": spent()}
        return Checkpoint(run=planned.index, step=loop.step, state=state)

    def finished(status: Status, reason: str = "") -> Finished:
        return Finished(
            run=planned.index, status=status, step=loop.step, summary=summary, reason=reason
        )

    while loop.step < experiment.outer.steps:
        values, pictures = _measure(loop, experiment)
        summary = updated(summary, values)
        yield Point(run=planned.index, step=loop.step, values=values)
        for picture in pictures:
            yield Pictured(run=planned.index, step=loop.step, picture=picture)
        for message in [note for note in loop.notes if note not in told]:
            told.add(message)
            yield Note(run=planned.index, step=loop.step, level="warning", message=message)
        if reason := _not_finite(values, loop.step):
            yield checkpoint()
            yield finished("failed", reason)
            return
        loop.update()
        if loop.step == experiment.outer.steps:
            break
        reason = _over_budget(experiment.budget, values, spent(), loop.step) or reason_to_stop()
        if reason:
            yield checkpoint()
            yield finished("out_of_budget", reason)
            return
        if checkpoint_is_due(saved):
            saved = time.monotonic()
            yield checkpoint()
    yield finished("finished")


def _prepared(experiment: Experiment) -> tuple[Problem | None, list[Obstacle]]:
    """The problem, nothing where its own code fails, and what preflight says of it."""
    try:
        problem = built(experiment)
    except Refused as refused:
        return None, [refused.obstacle]
    return problem, preflight_run(experiment, problem)


def _measure(
    loop: Descent | Generations, experiment: Experiment
) -> tuple[dict[str, float], list[Picture]]:
    """The figures of this outer step, with the probes' where it is their turn; and the pictures,
    where it is theirs. What is tested and drawn is so after the last step too."""
    values, pictures = loop.observe(), []
    probed = loop.step % experiment.probes.every == 0
    tested = experiment.probes.test and (probed or loop.step == experiment.outer.steps - 1)
    started = time.perf_counter()
    if probed:
        values |= loop.probe()
    if tested:
        values |= loop.test_figures()
        pictures = loop.pictures()
    if probed or tested:
        values["probe_seconds"] = time.perf_counter() - started
    return values, pictures


def _not_finite(values: dict[str, float], step: int) -> str:
    for name in ("meta_loss", "gradient_norm"):
        if not math.isfinite(values.get(name, 0.0)):
            what = {"meta_loss": "meta-loss", "gradient_norm": "norm of the meta-gradient"}[name]
            return (
                f"the {what} became {values[name]} at outer step {step}: the inner or the outer "
                "loop diverged; a smaller learning rate, or a shorter horizon, may keep it finite"
            )
    return ""


def _over_budget(budget: Budget, values: dict[str, float], spent: float, step: int) -> str:
    if budget.seconds is not None and spent > budget.seconds:
        return f"the budget of {budget.seconds:g} s was used up after outer step {step}"
    if budget.bytes is not None and values.get("peak_bytes", 0.0) > budget.bytes:
        return (
            f"an estimate needed {values['peak_bytes']:.3g} bytes, "
            f"more than the budget of {budget.bytes:.3g}"
        )
    return ""
