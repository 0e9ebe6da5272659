"""The builder: a form that says what is wrong while it is filled in, and launches what is right."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from engine.spec import Experiment, FieldError, SpecError, parse_text, read_text
from webapp.compare.difference import Difference, differences
from webapp.experiments import preflights, services
from webapp.experiments.draft import Draft, examine
from webapp.experiments.form import Form, build_form, parse_form, restructure
from webapp.experiments.form.build import step_of
from webapp.experiments.origins import Origin, origin_of, preset_called
from webapp.experiments.preflights import Verdict
from webapp.experiments.yaml_lines import at_lines
from webapp.forecasts import services as forecasts
from webapp.forecasts.panel import Panel

UNPROCESSABLE = 422
DRAFT = re.compile(r"[0-9a-f]{16}", re.ASCII)


@dataclass(frozen=True)
class Page:
    """What the builder's templates show."""

    origin: Origin
    draft: Draft
    form: Form
    verdicts: list[Verdict]
    """Of every estimator, in order; empty while the draft is no experiment."""
    panel: Panel
    draft_id: str = ""
    """Of this open form, whose questions take each other's place."""
    insisted: bool = False

    @property
    def changes(self) -> list[Difference]:
        if not self.draft.experiment:
            return []
        return differences([self.origin.document, self.draft.document], leave_out=())

    @property
    def inner_steps(self) -> str:
        return f"{self.draft.inner_steps:,}"

    @property
    def meta_parameters(self) -> str:
        """dim θ, or its range where the sweep changes it."""
        counts = self.draft.meta_parameter_counts
        return " to ".join(f"{count:,}" for count in dict.fromkeys([counts[0], counts[-1]]))

    @property
    def errors(self) -> list[tuple[FieldError, str]]:
        return self.form.errors

    def context(self, **more: Any) -> dict[str, Any]:
        return {
            "page": self, "origin": self.origin, "draft": self.draft, "form": self.form,
            "panel": self.panel, "draft_id": self.draft_id, "insisted": self.insisted, **more,
        }  # fmt: skip


def _page(
    origin: Origin,
    document: dict[str, Any],
    errors: list[FieldError] | None = None,
    *,
    posted: Mapping[str, str] | None = None,
    asks: bool = True,
) -> Page:
    """The builder's page; where it `asks`, workers look for what is not known of the draft."""
    posted = posted or {}
    draft_id = posted.get("_draft", "") if DRAFT.fullmatch(posted.get("_draft", "")) else ""
    draft_id = draft_id or secrets.token_hex(8)
    draft = examine(document, errors or [])
    form = build_form(draft.document, draft.errors)
    verdicts: list[Verdict] = []
    outlook = forecasts.NOTHING
    if draft.experiment and asks:
        verdicts = preflights.ask(draft.experiment)
        outlook = forecasts.ask(draft.experiment, draft_id)
    elif draft.experiment:
        verdicts = preflights.look_up(draft.experiment)
        outlook = forecasts.look_up(draft.experiment)
    form.show_verdicts(verdicts)
    return Page(
        origin, draft, form, verdicts, Panel(outlook), draft_id, bool(posted.get("_insist"))
    )


@require_GET
def new(request: HttpRequest) -> HttpResponse:
    """The builder, filled from `?preset=`, `?clone=` (a run), `?experiment=` or the defaults."""
    origin = origin_of(request.user, request.GET)
    page = _page(origin, origin.document)
    return render(request, "experiments/builder.html", page.context())


@require_POST
def form(request: HttpRequest) -> HttpResponse:
    """The posted form, examined: fragments for htmx, the whole page for a browser without it.

    `_action` changes the form's structure first: another kind, an item added or removed.
    """
    origin = origin_of(request.user, request.POST, prefix="_")
    action = request.POST.get("_action", "")
    parsed = parse_form(dict(request.POST.lists()), keep_unknown=not action)
    restructure(parsed.document, action)
    page = _page(origin, parsed.document, parsed.errors, posted=request.POST)
    if not request.htmx:
        return render(request, "experiments/builder.html", page.context())
    if action.startswith("edit:"):
        return render(request, "experiments/workbench.html", page.context())
    changed = None
    if action:
        _, _, target = action.partition(":")
        changed = page.form.step(step_of(target.replace(":", ".")))
    kept = page.form.nodes(without=changed)
    return render(request, "experiments/answer.html", page.context(changed=changed, kept=kept))


@require_GET
def preflight(request: HttpRequest, key: str, estimator: int) -> HttpResponse:
    """The line of the form's estimator card number `estimator`, which asks again by itself while
    an answer may still come."""
    context = {"verdict": preflights.verdict_for(key), "index": estimator}
    return render(request, "experiments/preflight.html", context)


@require_POST
def apply_yaml(request: HttpRequest) -> HttpResponse:
    """The form filled from YAML; text that is no experiment changes nothing and says why."""
    origin = origin_of(request.user, request.POST, prefix="_")
    text = request.POST.get("_yaml", "")
    try:
        document = read_text(text).model_dump(mode="json")
    except SpecError as error:
        return _refused_yaml(request, origin, text, error)
    page = _page(origin, document, posted=request.POST)
    template = "experiments/workbench.html" if request.htmx else "experiments/builder.html"
    return render(request, template, page.context(opened="yaml"))


def _refused_yaml(
    request: HttpRequest, origin: Origin, text: str, error: SpecError
) -> HttpResponse:
    found = at_lines(text, error.errors)
    if request.htmx:
        context = {"yaml_errors": found}
        response = render(request, "experiments/yaml_errors.html", context, status=UNPROCESSABLE)
        response.headers["HX-Retarget"] = "#yaml-errors"
        response.headers["HX-Reswap"] = "outerHTML"
        return response
    try:
        document = parse_text(text)
    except SpecError:
        document = origin.document
    page = _page(origin, document if isinstance(document, dict) else origin.document)
    context = page.context(yaml_errors=found, yaml_text=text, opened="yaml")
    return render(request, "experiments/builder.html", context, status=UNPROCESSABLE)


@require_POST
def launch(request: HttpRequest) -> HttpResponse:
    """Create the experiment and its runs, or show every error and keep nothing."""
    origin = origin_of(request.user, request.POST, prefix="_")
    parsed = parse_form(dict(request.POST.lists()))
    page = _page(origin, parsed.document, parsed.errors, posted=request.POST, asks=False)
    if page.draft.experiment is not None:
        try:
            return _create(request, page.draft, origin, insist=page.insisted)
        except SpecError as error:
            return _refused(request, origin, page.draft.experiment, error)
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
    page = _page(origin, document, error.errors, posted=request.POST, asks=False)
    page = replace(page, panel=Panel(forecasts.look_up(experiment)))
    return render(request, "experiments/builder.html", page.context(), status=UNPROCESSABLE)


def _create(
    request: HttpRequest, draft: Draft, origin: Origin, *, insist: bool = False
) -> HttpResponse:
    kept = services.create_experiment(
        owner=request.user,
        experiment=draft.experiment,
        preset=origin.preset,
        parent=origin.parent,
        insist=insist,
    )
    count = len(draft.runs)
    messages.success(request, f"Launched {count} run{'s' if count != 1 else ''}.")
    return redirect("experiments:detail", pk=kept.pk)
