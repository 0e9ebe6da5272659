"""What people write of a run: its name and its notes. Nobody overwrites what he has not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F

from webapp.runs.models import Run
from webapp.runs.permissions import require_change

if TYPE_CHECKING:
    from webapp.accounts.models import User

LONGEST_NAME = 200
LONGEST_NOTES = 50_000


class CannotWrite(Exception):
    """Why something is not kept, in a sentence for people."""


class Overtaken(Exception):
    """Somebody else wrote the notes since they were read."""


def rename(*, user: User, run: Run, name: str) -> Run:
    """Call the run `name`; an empty one gives its label back. Raises `CannotWrite`."""
    require_change(user, run.experiment, "rename this run")
    run.name = _text("name", " ".join(name.split()), LONGEST_NAME)
    run.save(update_fields=["name"])
    return run


def write_notes(*, user: User, run: Run, text: str, seen: int) -> Run:
    """Keep `text` in place of version `seen` of the notes.

    Raises `Overtaken` where there is a newer version, and `CannotWrite` for a text that is too
    long; then nothing changes.
    """
    require_change(user, run.experiment, "write the notes of this run")
    text = _text("notes", text.replace("\r\n", "\n").strip(), LONGEST_NOTES)
    same = Run.objects.filter(pk=run.pk, notes_version=seen)
    if not same.update(notes=text, notes_version=F("notes_version") + 1):
        raise Overtaken
    run.refresh_from_db(fields=["notes", "notes_version"])
    return run


def _text(name: str, text: str, longest: int) -> str:
    if len(text) > longest:
        raise CannotWrite(f"{name}: {len(text):,} characters; allowed: at most {longest:,}.")
    if "\x00" in text:
        raise CannotWrite(f"{name}: it holds a null character; allowed: text.")
    return text
