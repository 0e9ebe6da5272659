"""The list of saved drafts: put one away, and bring it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from webapp.experiments import saved_drafts

if TYPE_CHECKING:
    from webapp.accounts.models import User


@require_POST
def discard(request: HttpRequest, key: str) -> HttpResponse:
    saved_drafts.discard(user=request.user, key=key)
    return _list(request, discarded=key)


@require_POST
def restore(request: HttpRequest, key: str) -> HttpResponse:
    saved_drafts.restore(user=request.user, key=key)
    return _list(request)


def _list(request: HttpRequest, discarded: str = "") -> HttpResponse:
    if not request.htmx:
        return redirect(f"/?discarded={discarded}#drafts" if discarded else "/#drafts")
    return render(request, "experiments/drafts.html", drafts_context(request.user, discarded))


def drafts_context(user: User, discarded: str = "") -> dict[str, object]:
    """What the template `experiments/drafts.html` needs; `discarded` can be brought back."""
    return {
        "drafts": saved_drafts.drafts_of(user),
        "discarded": saved_drafts.discarded(user, discarded) if discarded else None,
    }
