"""Writes: launching an experiment, renaming it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

import engine.spec
from engine.spec import PlannedRun, expand, validate
from engine.version import code_version
from webapp.experiments import preflights
from webapp.experiments.models import Experiment
from webapp.forecasts import late
from webapp.forecasts import services as forecasts
from webapp.runs import colours, spec_values
from webapp.runs.models import Priority, Run
from webapp.runs.permissions import require_change, require_launch
from webapp.runs.wake import wake
from webapp.scheduling import priorities, quotas
from webapp.workers.selectors import queue_for

if TYPE_CHECKING:
    from webapp.accounts.models import User


def create_experiment(
    *,
    owner: User,
    experiment: engine.spec.Experiment,
    preset: str = "",
    parent: Experiment | None = None,
    insist: bool = False,
    priority: Priority = Priority.NORMAL,
    spread: bool = True,
) -> Experiment:
    """Keep `experiment` and all of its runs, queued; workers are woken after the commit.

    Whether idle workers may share a run's populations (`spread`) changes no figure. What its owner
    insists on although it will not fit waits for a larger worker.
    Raises `SpecError`, and keeps nothing, where the sweep cannot be expanded, where a worker has
    said that an estimator cannot run, or that it will not fit, unless the owner does `insist`.
    """
    require_launch(owner)
    priorities.require(owner, priority)
    planned = expand(experiment)
    preflights.refuse(experiment)
    said = forecasts.before_launch(experiment, insist=insist)
    needs = said.needs_by_number if said else {}
    given_up = said is not None or late.is_given_up(forecasts.look_up(experiment))
    document = experiment.model_dump(mode="json")
    with transaction.atomic():
        quotas.refuse_launch(owner, len(planned))
        kept = Experiment.objects.create(
            owner=owner,
            name=experiment.name,
            spec=document,
            preset=preset,
            parent=parent,
            code_version=code_version(),
        )
        colour_of = colours.allocate([run.configuration for run in planned])
        queue = queue_for(experiment.device)
        rows = [_row(kept, run, colour_of[run.configuration], queue) for run in planned]
        for run in rows:
            run.priority, run.spread = priority, spread
            run.needs_bytes, run.expected_seconds = needs.get(run.number, (None, None))
            run.forecast_given_up = given_up and run.number not in needs
        runs = Run.objects.bulk_create(rows)
        spec_values.remember({run.configuration: run.spec for run in runs})
        if said is not None:
            forecasts.keep(kept, said, insisted=insist)
        messages = [(run.pk, run.queue) for run in runs]
        transaction.on_commit(lambda: wake(messages))
    return kept


def rename(*, user: User, experiment: Experiment, name: str) -> Experiment:
    """Give `experiment` another name; raises `SpecError` for one that a spec could not have."""
    require_change(user, experiment, "rename this experiment")
    experiment.name = validate({"name": name.strip()}).name
    experiment.save(update_fields=["name"])
    return experiment


def _row(experiment: Experiment, planned: PlannedRun, colour: int, queue: str) -> Run:
    return Run(
        experiment=experiment,
        owner_id=experiment.owner_id,
        number=planned.index,
        label=planned.label[:400],
        configuration=planned.configuration,
        estimator=planned.spec.estimators[0].kind,
        seed=planned.seed,
        sweep=planned.sweep,
        spec=planned.spec.model_dump(mode="json"),
        colour=colour,
        queue=queue,
        total_steps=planned.spec.outer.steps,
    )
