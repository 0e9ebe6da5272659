"""What the lab keeps for people: how many rows of each kind, and whether they are sound."""

from __future__ import annotations

from engine.spec import validate
from webapp.accounts.models import ApiToken, Invitation, User
from webapp.experiments.models import Experiment, SavedDraft
from webapp.runs.models import Run
from webapp.runs.table_models import SavedView
from webapp.sharing.models import ShareLink

KEPT = (Experiment, Run, SavedDraft, SavedView, ShareLink, ApiToken, Invitation, User)


def counts() -> dict[str, int]:
    """Rows by model."""
    return {model.__name__: model.objects.count() for model in KEPT}


def assert_sound(before: dict[str, int]) -> None:
    """Every experiment that is new beside `before` can be read again, and runs."""
    new = Experiment.objects.count() - before["Experiment"]
    for experiment in Experiment.objects.order_by("-pk")[: max(new, 0)]:
        validate(experiment.spec)
        assert experiment.name.isprintable()
        assert experiment.runs.exists()
