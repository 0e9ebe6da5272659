"""What is done from the table of runs, to many runs at once; and the views that people keep."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.http import Http404

from webapp.runs.models import ENDS, Run
from webapp.runs.permissions import may_change
from webapp.runs.selectors import visible_runs
from webapp.runs.services import request_cancel
from webapp.runs.table_models import LONGEST_TAG, TAG_PATTERN, SavedView, TableColumns, Tag

if TYPE_CHECKING:
    from webapp.accounts.models import User

Action = Literal["tag", "untag", "archive", "unarchive", "cancel"]
OPPOSITE: dict[Action, Action] = {
    "tag": "untag",
    "untag": "tag",
    "archive": "unarchive",
    "unarchive": "archive",
}
"""What takes an action back; a cancelled run cannot be taken back."""
LONGEST_NAME = 60
LONGEST_ADDRESS = 2000
MOST_VIEWS = 100


class Refused(ValueError):
    """What was asked for is not possible; the text is for people and names the field."""


@dataclass(frozen=True)
class Done:
    """What became of an action on several runs."""

    action: Action
    changed: list[int]
    """The runs that are otherwise than before: what an undo concerns."""
    not_allowed: int
    """Runs that belong to others."""
    tag: str = ""

    @property
    def sentence(self) -> str:
        words = {
            "tag": f"tagged “{self.tag}”",
            "untag": f"no longer tagged “{self.tag}”",
            "archive": "archived",
            "unarchive": "back from the archive",
            "cancel": "cancelled, or stopping after their outer step",
        }[self.action]
        count = len(self.changed)
        runs = "1 run is" if count == 1 else f"{count} runs are"
        done = f"{runs} {words}." if count else "Nothing to change."
        if self.not_allowed:
            done += f" {self.not_allowed} of others: only they or an admin may change them."
        return done


def act(*, user: User, action: str, pks: Collection[int], tag: str = "") -> Done:
    """Do `action` to those of the runs `pks` that `user` may change."""
    runs = list(visible_runs(user).defer("spec", "summary").filter(pk__in=pks))
    mine = [run for run in runs if may_change(user, run.experiment)]
    others = len(runs) - len(mine)
    with transaction.atomic():
        match action:
            case "tag" | "untag":
                name, changed = _tag(mine, tag, put=action == "tag")
                return Done(action, changed, others, name)
            case "archive" | "unarchive":
                return Done(action, _archive(mine, away=action == "archive"), others)
            case "cancel":
                going = [run for run in mine if run.status not in ENDS]
                for run in going:
                    request_cancel(user=user, run=run)
                return Done(action, [run.pk for run in going], others)
    allowed = ", ".join((*OPPOSITE, "cancel"))
    raise Refused(f"action: {action[:20]!r} is not possible; allowed: {allowed}.")


def _tag(runs: Sequence[Run], text: str, *, put: bool) -> tuple[str, list[int]]:
    """The tag as the lab writes it, and the runs that got it or lost it."""
    name = " ".join(text.split())
    if not re.fullmatch(TAG_PATTERN, name) or len(name) > LONGEST_TAG:
        raise Refused(
            f"tag: {name[:60]!r} is not possible; allowed: letters, digits, . + # / - _ and single "
            f"spaces, at most {LONGEST_TAG} characters."
        )
    if put and runs:
        # Two people may make the same tag at once: the second finds the first one's.
        Tag.objects.bulk_create([Tag(name=name)], ignore_conflicts=True)
    tag = Tag.objects.filter(name__iexact=name).first()
    if tag is None:
        return name, []
    having = set(tag.runs.filter(pk__in=[run.pk for run in runs]).values_list("pk", flat=True))
    changed = [run.pk for run in runs if (run.pk in having) != put]
    if put:
        tag.runs.add(*changed)
    else:
        tag.runs.remove(*changed)
        if not tag.runs.exists():
            tag.delete()
    return tag.name, changed


def _archive(runs: Sequence[Run], *, away: bool) -> list[int]:
    concerned = Run.objects.filter(
        pk__in=[run.pk for run in runs if (run.archived_at is None) == away]
    )
    changed = list(concerned.values_list("pk", flat=True))
    concerned.update(archived_at=Now() if away else None)
    return changed


def views_for(user: User) -> list[SavedView]:
    """The views that `user` kept, then those that others share."""
    views = SavedView.objects.select_related("owner").filter(Q(owner=user) | Q(shared=True))
    return sorted(views, key=lambda view: (view.owner_id != user.pk, view.name.lower()))


def save_view(*, user: User, name: str, address: str, shared: bool) -> SavedView:
    """Keep `address` as `name`; a view of the same name of `user` is replaced."""
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME or "\x00" in name:
        raise Refused(f"name: {name[:60]!r} is not possible; allowed: 1 to {LONGEST_NAME} signs.")
    if len(address) > LONGEST_ADDRESS or "\x00" in address:
        raise Refused(f"address: {len(address):,} signs; allowed: at most {LONGEST_ADDRESS:,}.")
    mine = SavedView.objects.filter(owner=user)
    view = mine.filter(name__iexact=name).first() or SavedView(owner=user)
    if view.pk is None and mine.count() >= MOST_VIEWS:
        raise Refused(f"name: there are {MOST_VIEWS} views already; delete one first.")
    view.name, view.address, view.shared = name, address, shared
    view.save()
    return view


def delete_view(*, user: User, pk: int) -> SavedView:
    """Forget a view of `user`; an admin may forget a shared one of others. `Http404` else."""
    view = next((view for view in views_for(user) if view.pk == pk), None)
    if view is None or not (view.owner_id == user.pk or user.is_lab_admin):
        raise Http404(f"There is no view {pk}.")
    SavedView.objects.filter(pk=pk).delete()
    return view


def choose_columns(*, user: User, names: Sequence[str]) -> None:
    """Keep the columns that `user` sees where the address names none."""
    TableColumns.objects.update_or_create(user=user, defaults={"names": list(names)})
