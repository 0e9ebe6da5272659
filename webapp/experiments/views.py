"""The builder: a form that says what is wrong while it is filled in, and launches what is right."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import reswap, retarget

from engine.spec import Experiment, SpecError
from engine.spec.comments import Comments, comments_of
from webapp.experiments import preflights, saved_drafts, services
from webapp.experiments.draft import Draft, examine
from webapp.experiments.form import moves, parse_form, restructure
from webapp.experiments.form.build import step_of
from webapp.experiments.form.nodes import Leaf
from webapp.experiments.origins import Origin, origin_of, origin_of_draft, preset_called
from webapp.experiments.page import Page, page_of, save
from webapp.experiments.saved_drafts import OpenForm, open_form
from webapp.experiments.yaml_lines import read_yaml
from webapp.forecasts import services as forecasts
from webapp.scheduling.priorities import priority_called
from webapp.scheduling.quotas import warnings_of

UNPROCESSABLE = 422
SWEPT = "seeds-and-sweep"
"""The step of the form that shows the sweep."""


@require_GET
def new(request: HttpRequest) -> HttpResponse:
    """The builder, filled from `?draft=`, `?preset=`, `?clone=` (a run), `?experiment=` or the
    defaults; `?edit=` (values by path, as JSON) is a change of that to begin with."""
    if key := request.GET.get("draft", ""):
        return _saved(request, key)
    origin = origin_of(request.user, request.GET)
    document = deepcopy(origin.document)
    restructure(document, f"edit:{request.GET.get('edit', '')}")
    page = page_of(origin, document, open_form({}))
    return render(request, "experiments/builder.html", page.context())


def _saved(request: HttpRequest, key: str) -> HttpResponse:
    """A saved draft as it was left, text in its YAML tab that is no experiment too."""
    kept = saved_drafts.draft_for(request.user, key)
    opened = replace(open_form({}), key=kept.key, seen=kept.stamp)
    page = page_of(origin_of_draft(request.user, kept), kept.document, opened)
    page = replace(
        page,
        yaml_ahead=kept.yaml,
        comments=comments_of(kept.commented),
        saving=saved_drafts.Saving("saved", kept.saved_at),
    )
    opened_tab = "yaml" if kept.yaml else ""
    return render(request, "experiments/builder.html", page.context(opened_tab=opened_tab))


@require_POST
def form(request: HttpRequest) -> HttpResponse:
    """The posted form, examined and saved: fragments for htmx, the whole page for a browser
    without it.

    `_action` changes the form's structure first: another kind, an item added or removed. `_wrong`
    names the errors that the page shows: those of other fields are left out while they are empty.
    `_choices` is the digest of the choices that it shows: left out while they are the same.
    """
    origin = origin_of(request.user, request.POST, prefix="_")
    action = request.POST.get("_action", "")
    parsed = parse_form(dict(request.POST.lists()), keep_unknown=not action)
    comments = _comments(request).moved(moves(parsed.document, action))
    restructure(parsed.document, action)
    opened = open_form(request.POST)
    page = page_of(origin, parsed.document, opened, parsed.errors, posted=request.POST)
    page = save(replace(page, comments=comments), request.user)
    if not request.htmx:
        return render(request, "experiments/builder.html", page.context())
    if action.startswith("edit:"):
        return _fragments(request, "experiments/workbench.html", page)
    changed = None
    if action:
        verb, _, target = action.partition(":")
        changed = page.form.step(SWEPT if verb == "vary" else step_of(target.replace(":", ".")))
    wrong = request.POST.get("_wrong", "").split()
    kept = [
        node for node in page.form.nodes(without=changed)
        if node.errors or f"{node.id}-error" in wrong
    ]  # fmt: skip
    return _fragments(
        request,
        "experiments/answer.html",
        page,
        changed=changed,
        kept=kept,
        other_choices=request.POST.get("_choices") != page.form.choices_digest,
        variable=[
            n for n in page.form.nodes(without=changed) if isinstance(n, Leaf) and n.can_vary
        ],
    )


def _comments(request: HttpRequest) -> Comments:
    return comments_of(request.POST.get("_yaml", ""))


def _fragments(request: HttpRequest, template: str, page: Page, **more: Any) -> HttpResponse:
    """An answer to htmx; from the first saving on the address is that of the draft."""
    response = render(request, template, page.context(**more))
    if page.saving.state == "saved":
        response.headers["HX-Replace-Url"] = f"/experiments/new?draft={page.opened.key}"
    return response


@require_GET
def preflight(request: HttpRequest, key: str, estimator: int) -> HttpResponse:
    """The line of the form's estimator card number `estimator`, which asks again by itself while
    an answer may still come."""
    context = {"verdict": preflights.verdict_for(key), "index": estimator}
    return render(request, "experiments/preflight.html", context)


@require_POST
def apply_yaml(request: HttpRequest) -> HttpResponse:
    """The form filled from YAML; text that is no experiment changes nothing, is kept, and says
    where it is wrong. The text itself is never replaced under the hands."""
    origin = origin_of(request.user, request.POST, prefix="_")
    document, errors = read_yaml(request.POST.get("_yaml", ""))
    if errors:
        return _refused_yaml(request, origin)
    page = page_of(origin, document, open_form(request.POST))
    insisted = bool(request.POST.get("_insist"))
    page = save(replace(page, insisted=insisted, comments=_comments(request)), request.user)
    if request.htmx:
        return _fragments(request, "experiments/yaml_applied.html", page)
    return render(request, "experiments/builder.html", page.context(opened_tab="yaml"))


def _refused_yaml(request: HttpRequest, origin: Origin) -> HttpResponse:
    parsed = parse_form(dict(request.POST.lists()))
    document = parsed.document if "name" in request.POST else origin.document
    page = page_of(origin, document, open_form(request.POST), parsed.errors, asks=False)
    page = replace(page, yaml_ahead=request.POST.get("_yaml", ""), outlook=forecasts.NOTHING)
    page = save(page, request.user)
    if request.htmx:
        # To whom still types, an error is an ordinary answer.
        response = _fragments(request, "experiments/yaml_refused.html", page)
        return retarget(reswap(response, "outerHTML"), "#yaml-errors")
    context = page.context(opened_tab="yaml")
    return render(request, "experiments/builder.html", context, status=UNPROCESSABLE)


@require_POST
def launch(request: HttpRequest) -> HttpResponse:
    """Create the experiment and its runs, or show every error and keep nothing.

    Text in the YAML tab that is ahead of the form is what is launched.
    """
    origin = origin_of(request.user, request.POST, prefix="_")
    if request.POST.get("_ahead") == "yaml":
        document, errors = read_yaml(request.POST.get("_yaml", ""))
        if errors:
            return _refused_yaml(request, origin)
        page = page_of(origin, document, open_form(request.POST), asks=False)
        page = replace(page, insisted=bool(request.POST.get("_insist")))
    else:
        parsed = parse_form(dict(request.POST.lists()))
        opened = open_form(request.POST)
        page = page_of(
            origin, parsed.document, opened, parsed.errors, posted=request.POST, asks=False
        )
    if page.draft.experiment is not None:
        try:
            return _create(request, page.draft, origin, page.opened, insist=page.insisted)
        except SpecError as error:
            return _refused(request, origin, page.draft.experiment, error)
    page = save(replace(page, comments=_comments(request)), request.user)
    return render(request, "experiments/builder.html", page.context(), status=UNPROCESSABLE)


@require_POST
def launch_preset(request: HttpRequest, slug: str) -> HttpResponse:
    """Launch a preset as it is; one that cannot run is opened in the builder, which says why."""
    preset_called(slug)
    origin = origin_of(request.user, {"preset": slug})
    draft = examine(origin.document)
    try:
        return _create(request, draft, origin)
    except SpecError as error:
        return _refused(request, origin, draft.experiment, error)


def _refused(
    request: HttpRequest, origin: Origin, experiment: Experiment, error: SpecError
) -> HttpResponse:
    """The builder with what stands in the way of a launch, and what is known of its needs."""
    document = experiment.model_dump(mode="json")
    opened = open_form(request.POST)
    page = page_of(origin, document, opened, error.errors, posted=request.POST, asks=False)
    page = replace(
        page,
        outlook=forecasts.look_up(experiment),
        yaml_ahead="",
        comments=_comments(request),
    )
    page = save(page, request.user)
    return render(request, "experiments/builder.html", page.context(), status=UNPROCESSABLE)


def _create(
    request: HttpRequest,
    draft: Draft,
    origin: Origin,
    opened: OpenForm | None = None,
    *,
    insist: bool = False,
) -> HttpResponse:
    kept = services.create_experiment(
        owner=request.user,
        experiment=draft.experiment,
        preset=origin.preset,
        parent=origin.parent,
        insist=insist,
        priority=priority_called(request.POST.get("_priority") or "normal"),
        spread=request.POST.get("_spread") != "off",
    )
    for warning in warnings_of(request.user):
        messages.warning(request, warning)
    if opened is not None:
        saved_drafts.launched(user=request.user, key=opened.key)
    count = len(draft.runs)
    messages.success(request, f"Launched {count} run{'s' if count != 1 else ''}.")
    return redirect("experiments:detail", pk=kept.pk)
