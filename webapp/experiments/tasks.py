"""What workers do for the builder."""

from __future__ import annotations

from celery import shared_task

from engine.obstacle import Obstacle
from engine.spec import validate
from webapp import questions
from webapp.experiments import preflights
from webapp.experiments.models import Preflight
from webapp.runs.explanations import explain


@shared_task(name=preflights.TRY_OUT, time_limit=questions.LONGEST.total_seconds())
def try_out(key: str) -> None:
    """Try one inner step for the question `key`, unless somebody else does."""
    spec = questions.begin(Preflight, key)
    if spec is None:
        return
    # Imported here: web processes read this module too, and must stay free of torch.
    from engine.preflight import verdicts

    try:
        [verdict] = verdicts(validate(spec))
    except Exception as error:
        # What preflight raises is about this worker: its data, its device, its memory.
        obstacle = Obstacle(level="warning", need="this worker", reason=explain(error).rstrip("."))
        preflights.answer(key, [obstacle], lasting=False)
    else:
        preflights.answer(key, verdict.obstacles, lasting=True)
