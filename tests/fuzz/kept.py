"""What the lab keeps: how many rows of each kind, and whether they are sound."""

from __future__ import annotations

from django.apps import apps

from engine.spec import validate
from webapp.experiments.models import Experiment

NOTED_BY_READING = {"AccessAttempt", "AccessLog", "AccessFailureLog", "Entry", "Session"}
"""A refused sign-in is noted, too."""


def counts() -> dict[str, int]:
    """Rows by model of the lab."""
    return {
        model.__name__: model.objects.count()
        for model in apps.get_models()
        if model._meta.managed and model.__name__ not in NOTED_BY_READING
    }


def assert_sound(before: dict[str, int]) -> None:
    """Whatever is new beside `before` can be read again."""
    new = Experiment.objects.count() - before["Experiment"]
    for experiment in Experiment.objects.order_by("-pk")[:new]:
        validate(experiment.spec)
        assert experiment.name.isprintable()
        assert experiment.runs.exists()
