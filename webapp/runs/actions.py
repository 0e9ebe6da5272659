"""What may be done with a run on its page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from engine.spec import SpecError
from webapp.runs import pausing
from webapp.runs.markdown import to_html
from webapp.runs.models import Run, Status
from webapp.runs.notes import CannotWrite, Overtaken, rename, write_notes
from webapp.runs.permissions import may_change
from webapp.runs.selectors import run_for
from webapp.runs.services import delete, request_cancel
from webapp.scheduling.priorities import priority_called, set_priority

UNPROCESSABLE = 422


@require_POST
def pause_run(request: HttpRequest, pk: int) -> HttpResponse:
    run = pausing.request_pause(user=request.user, run=run_for(request.user, pk))
    if run.status == Status.PAUSED:
        messages.success(request, "The run is paused.")
    elif run.pause_requested:
        messages.success(request, "The run pauses after its outer step, with a checkpoint.")
    else:
        messages.error(request, f"Not paused: the run is {run.status_words}.")
    return _back(request, pk)


@require_POST
def resume_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on; `seconds` and `bytes` of the form, where it has them, are the new budget."""
    run = run_for(request.user, pk)
    try:
        pausing.resume(user=request.user, run=run, budget=_budget(request))
    except pausing.CannotResume as problem:
        messages.error(request, f"Not resumed. {problem}")
    except SpecError as problem:
        messages.error(request, f"Not resumed: {problem.errors[0]}.")
    else:
        messages.success(request, "The run is queued and goes on from its checkpoint.")
    return _back(request, pk)


def _budget(request: HttpRequest) -> dict[str, Any] | None:
    """As the form has it: an empty field is no bound, and text is left to the spec to refuse."""
    if "seconds" not in request.POST and "bytes" not in request.POST:
        return None
    given = {name: request.POST.get(name, "").strip() for name in ("seconds", "bytes")}
    return {name: _number(text) for name, text in given.items()}


def _number(text: str) -> float | str | None:
    try:
        return float(text) if text else None
    except ValueError:
        return text


@require_POST
def cancel_run(request: HttpRequest, pk: int) -> HttpResponse:
    run = request_cancel(user=request.user, run=run_for(request.user, pk))
    if run.has_ended:
        messages.success(request, f"The run is {run.get_status_display().lower()}.")
    else:
        messages.success(
            request, "The run stops after its outer step. Its points and its checkpoint are kept."
        )
    return _back(request, pk)


@require_POST
def set_run_priority(request: HttpRequest, pk: int) -> HttpResponse:
    run = run_for(request.user, pk)
    word = request.POST.get("priority", "")
    try:
        run = set_priority(user=request.user, run=run, priority=priority_called(word))
    except SpecError as problem:
        messages.error(request, f"Nothing is changed: {problem.errors[0]}.")
    else:
        messages.success(request, f"Its priority is {run.get_priority_display().lower()}.")
    return _back(request, pk)


@require_POST
def rename_run(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        rename(user=request.user, run=run_for(request.user, pk), name=request.POST.get("name", ""))
    except CannotWrite as problem:
        messages.error(request, f"Not renamed. {problem}")
    return _back(request, pk)


@require_POST
def notes(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the notes; where somebody was faster, show his and keep both."""
    run = run_for(request.user, pk)
    text = request.POST.get("notes", "")
    seen = request.POST.get("seen", "")
    try:
        version = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else -1
        run = write_notes(user=request.user, run=run, text=text, seen=version)
    except Overtaken:
        run = run_for(request.user, pk)
        return _notes(request, run, draft=text, overtaken=True)
    except CannotWrite as problem:
        return _notes(request, run, draft=text, refusal=str(problem))
    return _notes(request, run) if request.htmx else redirect(f"/runs/{pk}/#notes")


def _notes(request: HttpRequest, run: Run, **more: Any) -> HttpResponse:
    """The notes; `more` says why what was sent, the `draft`, is not among them."""
    context = {
        "run": run,
        "may_change": may_change(request.user, run.experiment),
        "notes_html": to_html(run.notes),
        **more,
    }
    return render(request, "runs/_notes.html", context, status=UNPROCESSABLE if more else 200)


@require_POST
def delete_run(request: HttpRequest, pk: int) -> HttpResponse:
    run = run_for(request.user, pk)
    title = run.title
    delete(user=request.user, run=run)
    messages.success(request, f"Run {pk} ({title}) and its points are deleted.")
    return redirect("runs:list")


def _back(request: HttpRequest, pk: int) -> HttpResponse:
    """To the run's page as it was: its address says how its charts are drawn."""
    page = reverse("runs:detail", args=[pk])
    left = urlsplit(request.headers.get("Referer", ""))
    return redirect(f"{page}?{left.query}" if left.path == page and left.query else page)
