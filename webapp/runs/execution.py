"""Executing one run in a worker: the engine's events in; points, pictures, checkpoints and a true
status out.

The spec goes to the engine unchanged, so a run gives the numbers that the command line gives.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

from django.conf import settings

import engine
from engine.events import Checkpoint, Event, Finished, Note, Pictured, Point, Started
from engine.spec import validate
from webapp.forecasts import predictions
from webapp.observability import context
from webapp.runs import pausing, services, shutdown
from webapp.runs.checkpoint_keeper import CheckpointKeeper
from webapp.runs.checkpoint_store import CheckpointStore
from webapp.runs.explanations import explain, is_out_of_memory, said_by
from webapp.runs.memory_guard import MemoryGuard
from webapp.runs.models import Run, Status
from webapp.runs.recorder import Recorder
from webapp.runs.services import LeaseLost
from webapp.scheduling import backoff, claiming
from webapp.scheduling.sharing import Sharing

log = logging.getLogger(__name__)


def execute(
    run_id: int,
    worker: str,
    *,
    must_stop: Callable[[], bool] = shutdown.announced,
    claim: Callable[..., Run | None] = services.claim,
) -> bool:
    """Take run `run_id` by `claim` and carry it to its end, from its newest checkpoint if it has
    one.

    Harmless to call twice, or for a run that is gone, ended or someone else's: it then does
    nothing, and says so by False. Nor where its checkpoints cannot be read now: it is tried again
    later. Where `must_stop` becomes true, the run goes back to the queue
    with a checkpoint of its last outer step.
    """
    waiting = Run.objects.filter(pk=run_id, status=Status.QUEUED).first()
    if waiting is None:
        return False
    store = CheckpointStore(run_id)
    try:
        checkpoint = _checkpoint_of(waiting, store)
    except OSError as refusal:
        log.warning("No checkpoint of run %s can be read (%s).", run_id, refusal)
        reason = f"Its checkpoint cannot be read ({said_by(refusal)}); it is tried again later."
        backoff.put_off(run_id=run_id, reason=reason)
        return False
    run = claim(run_id=run_id, worker=worker, resume_from=checkpoint.step if checkpoint else 0)
    if run is None:
        return False
    _carry_out(run, worker, checkpoint, store, must_stop)
    return True


def _checkpoint_of(run: Run, store: CheckpointStore) -> Checkpoint | None:
    """What the queued `run` goes on from; None where it begins anew. Raises `OSError` where what
    was kept of it is out of reach now."""
    found = store.newest(at_most=run.sequence) if run.sequence else None
    if found is None and run.checkpoint_step and not store.newest_first():
        # Such as the folder where a disk should be mounted: beginning anew would cut all points.
        raise FileNotFoundError("none is there; is its disk mounted?")
    return found


def execute_next(
    queue: str, worker: str, *, must_stop: Callable[[], bool] = shutdown.announced
) -> bool:
    """Claim the run of `queue` that is next in line for `worker` and carry it to its end; False
    where none waits that it may take."""
    while not must_stop():
        following = claiming.claim_next(worker=worker, queue=queue)
        if following is None:
            return False
        if isinstance(following, Run):
            store = CheckpointStore(following.pk)
            _carry_out(following, worker, None, store, must_stop)
            return True
        in_turn = partial(claiming.claim_in_turn, queue=queue)
        if execute(following.run_id, worker, must_stop=must_stop, claim=in_turn):
            return True
    return False


def _carry_out(
    run: Run,
    worker: str,
    checkpoint: Checkpoint | None,
    store: CheckpointStore,
    must_stop: Callable[[], bool],
) -> None:
    run_id = run.pk
    predictions.ask(run)
    try:
        guard = MemoryGuard.of_worker(worker)
        with context.run(run_id), Recorder(run) as recorder, guard:
            ended = _follow(run, checkpoint, recorder, store, must_stop, guard)
        if ended and Run.objects.filter(pk=run_id, status=Status.FINISHED).exists():
            _forget(store)
    except LeaseLost as lost:
        log.warning("Attempt %s stops: %s.", run.attempt, lost)
        if not Run.objects.filter(pk=run_id).exists():
            _forget(store)


def _forget(store: CheckpointStore) -> None:
    """Where its storage is away, `webapp.runs.checkpoint_retention` deletes them later."""
    try:
        store.delete()
    except OSError as refusal:
        log.warning("Checkpoints of run %s are not deleted (%s).", store.run_id, refusal)


def _follow(
    run: Run,
    checkpoint: Checkpoint | None,
    recorder: Recorder,
    store: CheckpointStore,
    must_stop: Callable[[], bool],
    guard: MemoryGuard,
) -> bool:
    """Whether the run has ended; False where it went back to the queue, or is paused."""
    try:
        sharing = Sharing(run, recorder.check) if run.spread else None
        with closing(_events(run, checkpoint, guard, recorder, must_stop, sharing)) as events:
            ended = _consume(events, run, recorder, store, must_stop)
        if sharing:
            sharing.tell()
        return ended
    except LeaseLost:
        raise
    except Exception as error:
        guard.lift()
        log.exception("Run %s failed.", run.pk)
        _save_the_rest(recorder)
        reason = (is_out_of_memory(error) and guard.explanation()) or explain(error)
        _finish(run, recorder, status=Status.FAILED, error=reason)
        return True


def _save_the_rest(recorder: Recorder) -> None:
    """What a failed run still holds; if that is what cannot be recorded, its end still must be."""
    try:
        recorder.flush()
    except LeaseLost:
        raise
    except Exception:
        log.exception("The last points of run %s could not be recorded.", recorder.run_id)


def _events(
    run: Run,
    checkpoint: Checkpoint | None,
    guard: MemoryGuard,
    recorder: Recorder,
    must_stop: Callable[[], bool],
    sharing: Sharing | None,
) -> Iterator[Event]:
    """The engine's; whoever wants the run to stop waits for a checkpoint, an outer step away."""
    return engine.run(
        validate(run.spec),
        resume=checkpoint,
        checkpoint_seconds=settings.CHECKPOINT_SECONDS,
        checkpoint_now=lambda: recorder.must_let_go() or must_stop(),
        reason_to_stop=guard.reason_to_stop,
        share=sharing,
    )


def _consume(
    events: Iterator[Event],
    run: Run,
    recorder: Recorder,
    store: CheckpointStore,
    must_stop: Callable[[], bool],
) -> bool:
    mine = {"run_id": run.pk, "attempt": run.attempt}
    keeper = CheckpointKeeper(run, recorder, store)
    for event in events:
        match event:
            case Started():
                recorder.add_note(_note_of_start(event, run))
                if must_stop():
                    return _released(run, recorder)
            case Point():
                recorder.add_point(event)
            case Pictured():
                recorder.add_picture(event)
            case Note():
                recorder.add_note(event)
            case Checkpoint():
                # A checkpoint may never be ahead of the points and pictures that it follows.
                recorder.flush()
                kept = keeper.keep(event)
                if recorder.cancel_requested:
                    _finish(run, recorder, status=Status.CANCELLED)
                    return True
                if recorder.pause_requested and kept:
                    recorder.insist(partial(pausing.pause, **mine))
                    return False
                if must_stop():
                    return _released(run, recorder)
            case Finished():
                recorder.flush()
                _finish(
                    run,
                    recorder,
                    status=event.status,
                    error=event.reason,
                    summary=event.summary,
                )
                return True
        recorder.check()
    raise RuntimeError("the engine ended without saying how the run finished")


def _released(run: Run, recorder: Recorder) -> bool:
    """Give the run back with all that it has said."""
    recorder.flush()
    recorder.insist(partial(services.release, run_id=run.pk, attempt=run.attempt))
    return False


def _finish(run: Run, recorder: Recorder, **end: Any) -> None:
    recorder.insist(partial(services.finish, run_id=run.pk, attempt=run.attempt, **end))


def _note_of_start(event: Started, run: Run) -> Note:
    again = f", from outer step {event.resumed_from}" if run.attempt > 1 else ""
    count = event.meta_parameter_count
    return Note(
        run=event.run,
        step=event.resumed_from,
        level="info",
        message=(
            f"Attempt {run.attempt} began on {event.device}{again}: "
            f"{count:,} meta-parameter{'' if count == 1 else 's'}, code {event.code_version}."
        ),
    )
