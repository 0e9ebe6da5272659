"""Reads: the experiments that a person may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, Q, QuerySet
from django.http import Http404

from webapp.experiments.models import Experiment
from webapp.runs.models import ENDS

if TYPE_CHECKING:
    from webapp.accounts.models import User


def visible_experiments(user: User) -> QuerySet[Experiment]:
    """Every experiment of the lab, newest first, with the counts of its runs."""
    if not (user.is_authenticated and user.is_active):
        return Experiment.objects.none()
    return Experiment.objects.select_related("owner").annotate(
        run_count=Count("runs"), ended_count=Count("runs", filter=Q(runs__status__in=ENDS))
    )


def experiment_for(user: User, pk: int) -> Experiment:
    """The only door to an experiment; raises `Http404` where there is none to see."""
    found = visible_experiments(user).filter(pk=pk) if 0 < pk < 2**63 else None
    experiment = found.first() if found is not None else None
    if experiment is None:
        raise Http404(f"There is no experiment {pk}.")
    return experiment
