"""Where a draft came from: a preset, a run that is cloned, an experiment, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.urls import reverse

import engine.spec
from engine.presets import PRESETS, Preset
from webapp.experiments.models import Experiment, SavedDraft
from webapp.experiments.selectors import experiment_for
from webapp.gallery.selectors import experiment_called
from webapp.runs.selectors import run_for

if TYPE_CHECKING:
    from webapp.accounts.models import User

SOURCES = ("preset", "clone", "experiment", "gallery")


@dataclass(frozen=True)
class Origin:
    document: dict[str, Any]
    source: str = ""
    key: str = ""
    title: str = "the defaults"
    question: str = ""
    href: str = ""
    parent: Experiment | None = None

    @property
    def preset(self) -> str:
        return self.key if self.source == "preset" else ""

    @property
    def is_clone(self) -> bool:
        return self.source in ("clone", "experiment")


def origin_of(user: User, parameters: Mapping[str, str], prefix: str = "") -> Origin:
    """The origin that `parameters` name; raises `Http404` for one that is not there to see."""
    for source in SOURCES:
        if key := parameters.get(f"{prefix}{source}", ""):
            return _FROM[source](user, key)
    return Origin(engine.spec.Experiment().model_dump(mode="json"))


def origin_of_draft(user: User, draft: SavedDraft) -> Origin:
    """The origin of a saved draft; the defaults where it is there no more."""
    try:
        return origin_of(user, {draft.source: draft.source_key} if draft.source else {})
    except Http404:
        return origin_of(user, {})


def preset_called(slug: str) -> Preset:
    for preset in PRESETS:
        if preset.slug == slug:
            return preset
    raise Http404(f"There is no preset {slug}.")


def _from_preset(user: User, slug: str) -> Origin:
    preset = preset_called(slug)
    document = engine.spec.read_text(preset.text).model_dump(mode="json")
    return Origin(document, "preset", slug, preset.title, preset.question)


def _from_run(user: User, key: str) -> Origin:
    run = run_for(user, _number(key))
    return Origin(
        run.spec,
        "clone",
        key,
        f"run {run.pk}",
        href=f"/runs/{run.pk}/",
        parent=run.experiment,
    )


def _from_experiment(user: User, key: str) -> Origin:
    kept = experiment_for(user, _number(key))
    title = f"experiment {kept.pk}"
    return Origin(kept.spec, "experiment", key, title, href=f"/experiments/{kept.pk}/", parent=kept)


def _from_gallery(user: User, key: str) -> Origin:
    page, document = experiment_called(key)
    whole = engine.spec.validate(document).model_dump(mode="json")
    return Origin(
        whole,
        "gallery",
        key,
        page.title,
        page.question,
        href=reverse("gallery:page", args=[page.slug]),
    )


_FROM = {
    "preset": _from_preset,
    "clone": _from_run,
    "experiment": _from_experiment,
    "gallery": _from_gallery,
}


def _number(key: str) -> int:
    if not (key.isascii() and key.isdecimal() and len(key) < 19):
        raise Http404(f"{key!r} is not a number.")
    return int(key)
