"""Writes: making and revoking links."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from webapp.audit.services import record
from webapp.compare.comparison_charts import comparison_charts
from webapp.compare.requests import read_comparison
from webapp.compare.selectors import summary_of
from webapp.exports.metrics import LONGEST_NAME, find_metric
from webapp.exports.requests import BadRequest, read_figure_request
from webapp.runs.models import Run
from webapp.sharing.models import ENDED_ARE_LISTED, Kind, ShareLink
from webapp.sharing.selectors import comparison_of, own_link

if TYPE_CHECKING:
    from webapp.accounts.models import User

LIFETIMES = {1: "1 day", 7: "7 days", 30: "30 days", 90: "90 days", 365: "1 year"}
MOST_LINKS = 200
"""Links of one person that work at the same time."""


def share(
    *,
    owner: User,
    runs: list[Run],
    days: int,
    figure: str = "",
    view: dict[str, str] | None = None,
) -> tuple[ShareLink, str]:
    """A link to `runs` (at least one, which `owner` may see), and its token, which is not kept.

    To one figure of them where `figure` is given: the name of a metric, or of a chart of their
    comparison. Raises `BadRequest` for what there is not.
    """
    if not runs:
        raise BadRequest("runs: nothing given; allowed: the numbers of runs, such as 3,4,7.")
    if days not in LIFETIMES:
        allowed = ", ".join(map(str, LIFETIMES))
        raise BadRequest(f"days: '{days}' is not possible; allowed: {allowed}.")
    if ShareLink.objects.valid().filter(owner=owner).count() >= MOST_LINKS:
        raise BadRequest(f"You have {MOST_LINKS} links; revoke some in your account first.")
    view = view or {}
    read_figure_request(view)
    read_comparison(view)
    title = _figure_title(runs, figure, view) if figure else ""
    whole = Kind.RUN if len(runs) == 1 else Kind.COMPARISON
    with transaction.atomic():
        link, token = ShareLink.objects.issue(
            owner=owner,
            lifetime=timedelta(days=days),
            kind=Kind.FIGURE if figure else whole,
            title=_title(runs, title)[:400],
            runs=[run.pk for run in runs],
            metric=figure,
            view=view,
        )
        record("share", actor=owner, target=str(link), days=days)
    return link, token


def revoke(*, user: User, pk: int) -> ShareLink:
    """The link does not work any more from now on. Raises `Http404` for one that is not theirs."""
    link = own_link(user, pk)
    if link.revoked_at is None:
        with transaction.atomic():
            link.revoked_at = timezone.now()
            link.save(update_fields=["revoked_at"])
            record("revoke a share", actor=user, target=str(link))
    return link


def clear_ended() -> None:
    """Delete the rows of links that ended long ago."""
    before = timezone.now() - ENDED_ARE_LISTED
    ShareLink.objects.filter(Q(expires_at__lt=before) | Q(revoked_at__lt=before)).delete()


def _figure_title(runs: list[Run], figure: str, view: dict[str, str]) -> str:
    if metric := find_metric(figure):
        return metric.title
    wanted = comparison_of(view, runs)
    charts = {
        offered.chart.name: offered.chart.title
        for offered in comparison_charts(summary_of(runs, wanted).table, wanted)
    }
    if figure not in charts or len(figure) > LONGEST_NAME:
        allowed = f"the name of a metric, or one of {', '.join(charts)}"
        raise BadRequest(f"metric: {figure[:60]!r} is not possible; allowed: {allowed}.")
    return charts[figure]


def _title(runs: list[Run], figure: str) -> str:
    names = list(dict.fromkeys(run.experiment.name for run in runs))
    what = runs[0].label if len(runs) == 1 else f"{len(runs)} runs"
    words = f"{what} · {', '.join(names)}"
    return f"{figure}: {words}" if figure else words
