"""Preflight for the builder: workers try one inner step, pages show what they said.

A web process never runs the engine. It asks by a row and a message, reads the row a moment later,
and does without an answer where no worker is free: the run itself begins with the same trial.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

from django.utils import timezone

import engine.spec
from engine.obstacle import Obstacle, errors
from engine.spec import FieldError, SpecError
from engine.version import code_version
from webapp import questions
from webapp.experiments.models import Preflight
from webapp.workers.selectors import queue_for

TRY_OUT = "experiments.try_out"
State = Literal["ready", "refused", "waiting", "silent", "untried", "slow", "unknown"]


@dataclass(frozen=True)
class Verdict:
    """What is known of one estimator of a draft, now."""

    key: str
    state: State
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether an answer may still come."""
        return self.state in ("waiting", "silent")


def singles(experiment: engine.spec.Experiment) -> list[engine.spec.Experiment]:
    """For each estimator what preflight is asked: the spec's own values, sweeps aside."""
    return [
        experiment.model_copy(
            update={"estimators": [estimator], "seeds": experiment.seeds[:1], "sweep": {}}
        )
        for estimator in experiment.estimators
    ]


def key_of(single: engine.spec.Experiment) -> str:
    """A digest of everything that the answer depends on; the same for an edit elsewhere."""
    fields = {"name", "outer", "seeds", "sweep", "budget", "threads", "probes"}
    content = [
        single.model_dump(mode="json", exclude=fields), single.probes.oracle, code_version(),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def ask(experiment: engine.spec.Experiment) -> list[Verdict]:
    """What is known of every estimator; workers are asked for what is not."""
    specs = {key_of(single): single.model_dump(mode="json") for single in singles(experiment)}
    questions.ask(Preflight, specs, task=TRY_OUT, queue=queue_for(experiment.device))
    return look_up(experiment)


def look_up(experiment: engine.spec.Experiment) -> list[Verdict]:
    """What is known of every estimator, in the order of the spec; nobody is asked."""
    keys = [key_of(single) for single in singles(experiment)]
    known = Preflight.objects.in_bulk(keys)
    return [_verdict(key, known.get(key)) for key in keys]


def verdict_for(key: str) -> Verdict:
    return _verdict(key, Preflight.objects.filter(key=key).first())


def refuse(experiment: engine.spec.Experiment) -> None:
    """Raise `SpecError` for every estimator of which a worker has said that it cannot run."""
    refused = [
        FieldError(f"estimators.{index}", experiment.estimators[index].kind, str(obstacle))
        for index, verdict in enumerate(look_up(experiment))
        for obstacle in errors(list(verdict.obstacles))
    ]
    if refused:
        raise SpecError(refused)


def answer(key: str, obstacles: list[Obstacle], *, lasting: bool) -> None:
    Preflight.objects.filter(key=key).update(
        answered_at=timezone.now(),
        obstacles=[obstacle.as_dict() for obstacle in obstacles],
        lasting=lasting,
    )


def _verdict(key: str, row: Preflight | None) -> Verdict:
    if row is None:
        return Verdict(key, "unknown")
    if row.state != "answered":
        return Verdict(key, row.state)
    found = tuple(Obstacle(**item) for item in row.obstacles)
    return Verdict(key, "refused" if errors(list(found)) else "ready", found)
