"""What a few words find: in the lab's database, among the presets, in the gallery and the help.

Every word must be in what is found, in any order and whatever its case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet
from django.urls import reverse

from engine.presets import PRESETS
from webapp.experiments.models import Experiment
from webapp.experiments.selectors import visible_experiments
from webapp.gallery.pages import PAGES
from webapp.help import charts, fields
from webapp.help.estimators import ACCOUNTS
from webapp.runs.models import Run
from webapp.runs.selectors import visible_runs

if TYPE_CHECKING:
    from webapp.accounts.models import User

LONGEST_QUESTION = 100
MOST_WORDS = 8
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class Hit:
    """Something found, and where it is."""

    title: str
    detail: str
    address: str
    icon: str


@dataclass(frozen=True)
class Group:
    name: str
    hits: list[Hit]


@dataclass(frozen=True)
class Text:
    """A hit that does not change while this process lives, with the words that find it."""

    hit: Hit
    words: str


def find(user: User, question: str, *, most: int) -> list[Group]:
    """At most `most` hits of each group; groups without one are left out. Two queries."""
    words = question.casefold().split()[:MOST_WORDS]
    if not words:
        return []
    sources: list[tuple[str, Callable[[], Iterable[Hit]]]] = [
        ("Runs", lambda: map(_of_run, _runs(user, words)[:most])),
        ("Experiments", lambda: map(_of_experiment, _experiments(user, words)[:most])),
        ("Presets", lambda: islice(_among(_presets(), words), most)),
        ("Gallery", lambda: islice(_among(_gallery(), words), most)),
        ("Help", lambda: islice(_among(_help(), words), most)),
    ]
    found = [Group(name, list(hits())) for name, hits in sources]
    return [group for group in found if group.hits]


def _runs(user: User, words: list[str]) -> QuerySet[Run]:
    every = Q()
    for word in words:
        # Of few experiments the name is compared once, and not once for each of their runs.
        named = Experiment.objects.filter(name__icontains=word)
        here = Q(label__icontains=word) | Q(experiment_id__in=named.values("pk"))
        if word.isdecimal() and int(word) <= LARGEST_ID:
            here |= Q(pk=int(word))
        every &= here
    return visible_runs(user).filter(every).order_by("-pk").defer("spec", "summary")


def _experiments(user: User, words: list[str]) -> QuerySet[Experiment]:
    every = Q()
    for word in words:
        every &= Q(name__icontains=word) | Q(owner__username__iexact=word)
    return visible_experiments(user).filter(every).order_by("-pk").defer("spec")


def _of_run(run: Run) -> Hit:
    detail = f"run {run.pk} · {run.experiment.name} · {run.get_status_display().lower()}"
    return Hit(run.label, detail, reverse("runs:detail", args=[run.pk]), "activity")


def _of_experiment(experiment: Experiment) -> Hit:
    address = reverse("experiments:detail", args=[experiment.pk])
    when = f"{experiment.created_at:%-d %b %Y}"
    detail = f"{experiment.owner.get_username()} · {when}"
    return Hit(experiment.name, detail, address, "flask-conical")


def _among(texts: Iterable[Text], words: list[str]) -> Iterator[Hit]:
    """Those whose title is the question first, then those that have all of it in their title."""
    fitting = [text for text in texts if all(word in text.words for word in words)]

    def rank(text: Text) -> tuple[bool, bool]:
        title = text.hit.title.casefold()
        return title != " ".join(words), not all(word in title for word in words)

    return (text.hit for text in sorted(fitting, key=rank))


def _text(title: str, detail: str, address: str, icon: str, more: str = "") -> Text:
    return Text(Hit(title, detail, address, icon), f"{title} {detail} {more}".casefold())


@cache
def _presets() -> list[Text]:
    page = reverse("experiments:new")
    return [
        _text(one.title, one.question, f"{page}?preset={one.slug}", "play", one.slug)
        for one in PRESETS
    ]


@cache
def _gallery() -> list[Text]:
    return [
        _text(
            page.question,
            page.title,
            reverse("gallery:page", args=[page.slug]),
            "presentation",
            page.setting,
        )
        for page in PAGES
    ]


@cache
def _help() -> list[Text]:
    accounts = [
        _text(
            section.title,
            f"Estimator. {section.about}",
            reverse("help:estimator", args=[kind]),
            "info",
            kind,
        )
        for section in fields.sections()
        if (kind := section.place.removeprefix("estimators.")) in ACCOUNTS
    ]
    at = reverse("help:charts")
    drawn = [
        _text(one.title, f"Chart. {one.explanation}", f"{at}#{place}", "chart-line", place)
        for place, one in charts.entries().items()
    ]
    at = reverse("help:fields")
    filled = [
        _text(one.name, f"{place}. {one.explanation}", f"{at}#{place}", "list")
        for place, one in fields.entries().items()
    ]
    asked = _text("Queries", "How the table of runs is asked.", reverse("help:queries"), "search")
    return [asked, *accounts, *drawn, *filled]
