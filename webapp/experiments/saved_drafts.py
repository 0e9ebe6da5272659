"""Drafts that save themselves: what a form holds is kept after every change, right or wrong.

Several tabs may show one draft. A form overwrites what it wrote itself, or what it has seen; what
another form wrote since is left alone, and the person is asked which of the two to keep.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from django.db import transaction
from django.http import Http404
from django.utils import timezone

from webapp.experiments.models import SavedDraft

if TYPE_CHECKING:
    from webapp.accounts.models import User

KEY = re.compile(r"[0-9a-f]{16}", re.ASCII)
LONGEST = 400_000
"""Characters of one draft; a spec as YAML has at most 64,000."""
MOST_DRAFTS = 50
"""Drafts that a person has at most; the oldest give way."""
DISCARDED_FOR = timedelta(days=7)
"""How long a discarded draft can be brought back."""

State = Literal["new", "saved", "conflict", "too large"]


@dataclass(frozen=True)
class OpenForm:
    """One form in one tab, as it names itself when it posts."""

    id: str
    key: str
    """Of the draft that it edits."""
    edit: int = 0
    """Counts the form's changes: an older one that comes late overwrites nothing."""
    seen: str = ""
    """The stamp of the draft that it was opened with."""


@dataclass(frozen=True)
class Saving:
    """What the page says of its draft."""

    state: State = "new"
    at: datetime | None = None


def open_form(posted: Mapping[str, str]) -> OpenForm:
    """The form that `posted` these fields; a new one where they name none."""
    form_id, key = (_token(posted.get(name, "")) for name in ("_draft", "_saved"))
    edit = posted.get("_edit", "")
    number = int(edit) if re.fullmatch(r"[0-9]{1,18}", edit) else 0
    return OpenForm(form_id, key, number, posted.get("_seen", ""))


def save(
    *,
    owner: User,
    form: OpenForm,
    document: Any,
    yaml: str,
    commented: str = "",
    source: str,
    source_key: str,
    begin: bool,
) -> Saving:
    """Keep `document`, text in the YAML tab that is none, and text with comments, unless another
    form wrote since this one was opened.

    Where it does not `begin` a draft, only one that is there is written.
    """
    text = json.dumps({"document": document, "yaml": yaml, "commented": commented})
    if len(text) > LONGEST:
        return Saving("too large")
    now = timezone.now()
    written = {
        "content": text,
        "source": source,
        "source_key": source_key,
        "writer": form.id,
        "edit": form.edit,
        "saved_at": now,
    }
    with transaction.atomic():
        drafts = SavedDraft.objects.select_for_update()
        if not begin and not drafts.filter(key=form.key).exists():
            return Saving("new")
        draft, created = drafts.get_or_create(key=form.key, defaults={"owner": owner, **written})
        if draft.owner_id != owner.pk:
            raise Http404("This draft is somebody else's.")
        if created:
            _make_room(owner)
            return Saving("saved", now)
        mine = draft.writer == form.id
        if mine and form.edit < draft.edit:
            return Saving("saved", draft.saved_at)
        if not mine and form.seen != draft.stamp:
            return Saving("conflict", draft.saved_at)
        for name, value in written.items():
            setattr(draft, name, value)
        draft.discarded_at = None
        draft.save()
    return Saving("saved", now)


def draft_for(user: User, key: str) -> SavedDraft:
    """The person's own draft, a discarded one too; raises `Http404` where there is none."""
    draft = SavedDraft.objects.filter(owner=user, key=key).first() if KEY.fullmatch(key) else None
    if draft is None:
        raise Http404("There is no such draft.")
    return draft


def drafts_of(user: User) -> list[SavedDraft]:
    """The person's drafts, newest first."""
    return list(SavedDraft.objects.filter(owner=user, discarded_at=None))


def discarded(user: User, key: str) -> SavedDraft | None:
    """The draft that can be brought back, if it is one."""
    mine = SavedDraft.objects.filter(owner=user).exclude(discarded_at=None)
    return mine.filter(key=key).first() if KEY.fullmatch(key) else None


def discard(*, user: User, key: str) -> SavedDraft:
    """Take the draft off the list; for a week it can be brought back."""
    draft = draft_for(user, key)
    draft.discarded_at = timezone.now()
    draft.save(update_fields=["discarded_at"])
    return draft


def restore(*, user: User, key: str) -> SavedDraft:
    draft = draft_for(user, key)
    draft.discarded_at = None
    draft.save(update_fields=["discarded_at"])
    return draft


def launched(*, user: User, key: str) -> None:
    """A launched draft is a draft no more; whoever goes back to its form still finds it."""
    SavedDraft.objects.filter(owner=user, key=key).update(discarded_at=timezone.now())


def _make_room(owner: User) -> None:
    mine = SavedDraft.objects.filter(owner=owner)
    mine.filter(discarded_at__lt=timezone.now() - DISCARDED_FOR).delete()
    surplus = mine.filter(discarded_at=None).values_list("pk", flat=True)[MOST_DRAFTS:]
    mine.filter(pk__in=list(surplus)).update(discarded_at=timezone.now())


def _token(text: str) -> str:
    return text if KEY.fullmatch(text) else secrets.token_hex(8)
