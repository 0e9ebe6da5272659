"""Reads: a person's links, and what a link shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from webapp.compare.requests import ComparisonRequest, read_comparison
from webapp.runs.models import Run
from webapp.runs.selectors import visible_runs
from webapp.sharing.models import ShareLink

if TYPE_CHECKING:
    from webapp.accounts.models import User


def links_of(user: User) -> QuerySet[ShareLink]:
    """Their own, the newest first; an admin answers for the lab's and sees all."""
    links = ShareLink.objects.select_related("owner")
    return links if user.is_lab_admin else links.filter(owner=user)


def own_link(user: User, pk: int) -> ShareLink:
    """The only door to a link that is to be changed; raises `Http404` where it is not theirs."""
    found = links_of(user).filter(pk=pk).first() if 0 < pk < 2**63 else None
    if found is None:
        raise Http404(f"There is no link {pk}.")
    return found


def shared_runs(link: ShareLink) -> list[Run]:
    """The runs that `link` still shows, in its order: what is deleted is gone here too."""
    found = visible_runs(link.owner).filter(pk__in=link.runs).in_bulk()
    return [found[pk] for pk in link.runs if pk in found]


def question_of(request: HttpRequest, link: ShareLink) -> dict[str, str]:
    """What the reader asks for, else how it was shared. Of a chart that is all that there is; of
    another figure, its metric and what was hidden stay."""
    if link.chart:
        return link.view
    asked = request.GET.dict()
    if link.metric:
        fixed = {"metric": link.metric, "hidden": link.view.get("hidden", "")}
        return {**link.view, **asked, **fixed}
    return asked or link.view


def comparison_of(question: Mapping[str, str], runs: Sequence[Run]) -> ComparisonRequest:
    """How `runs` are compared; a baseline that is not among them, or not any more, is none.

    Raises `BadRequest` where the question asks for what there is not.
    """
    wanted = read_comparison(question)
    is_there = wanted.baseline in {run.pk for run in runs}
    return wanted if is_there else replace(wanted, baseline=None)
