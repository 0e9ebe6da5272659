"""Pictures of runs: for the page as JSON, beside each other, and as files to take along."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from webapp.exports.configurations import configurations
from webapp.exports.downloads import download
from webapp.exports.paper import SIZES, Font
from webapp.exports.pictures import page_picture, print_picture
from webapp.exports.provenance import provenance_of_picture
from webapp.exports.requests import BadRequest, read_font, read_run_ids, read_width, runs_for
from webapp.runs.models import Run, RunPicture
from webapp.runs.selectors import newest_pictures, picture_for, pictures_of, run_for

MOST_BESIDE = 12
"""Runs whose pictures are shown beside each other: more are too small to be looked at."""


@require_GET
def pictures(request: HttpRequest, pk: int) -> JsonResponse:
    """Which pictures a run has, and of which outer steps; the drawings are asked for one by one."""
    return pictures_answer(run_for(request.user, pk), partial(_address, pk))


@require_GET
def picture(request: HttpRequest, pk: int, name: str, step: int) -> JsonResponse:
    """One drawing, ready for the page. Its address names the row, which never changes, so that the
    browser need not ask twice."""
    found = picture_for(request.user, pk, name, step)
    answer = picture_answer(found)
    same = request.GET.get("key") == str(found.pk)
    lasting = "private, max-age=31536000, immutable"
    answer.headers["Cache-Control"] = lasting if same else "private, no-store"
    return answer


def pictures_answer(run: Run, address: Callable[[str, int, int], str]) -> JsonResponse:
    """`address` says where the drawing with a name, a step and a key is."""
    found = [
        {
            "name": item.name,
            "title": item.title,
            "kind": item.kind,
            "left_out": item.left_out,
            "taken": [
                {"step": step, "url": address(item.name, step, key)}
                for step, key in zip(item.steps, item.keys, strict=True)
            ],
        }
        for item in pictures_of(run)
    ]
    answer = JsonResponse({"pictures": found, "changes": run.picture_changes})
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def picture_answer(found: RunPicture) -> JsonResponse:
    return JsonResponse({**page_picture(found.picture), "run": found.run_id, "step": found.step})


@require_GET
def beside(request: HttpRequest) -> HttpResponse:
    """The newest pictures of some runs: those of one name together, the same order everywhere."""
    try:
        runs = runs_for(request.user, read_run_ids(request.GET.get("runs", "")))
    except BadRequest as error:
        return JsonResponse({"detail": str(error)}, status=400)
    return beside_answer(runs, _address, page=_page_of)


def beside_answer(
    runs: Sequence[Run],
    address: Callable[[int, str, int, int], str],
    page: Callable[[int], str] = lambda pk: "",
) -> JsonResponse:
    """`address` says where the drawing of a run with a name, a step and a key is; `page` that of a
    run's own pictures, "" where there is none."""
    answer = JsonResponse({"groups": _groups(runs, address, page)})
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@require_GET
def picture_file(
    request: HttpRequest, pk: str, name: str, step: str, extension: str
) -> HttpResponse:
    """A picture as a file, drawn from what the page draws; JSON has the drawing as it is."""
    return picture_file_answer(
        picture_for(request.user, int(pk), name, int(step)), request.GET, extension
    )


def picture_file_answer(
    found: RunPicture, query: Mapping[str, str], extension: str
) -> HttpResponse:
    try:
        width, font = read_width(query), read_font(query)
    except BadRequest as error:
        return HttpResponse(str(error), status=400, content_type="text/plain; charset=utf-8")
    content = file_content(found, extension, width, font)
    words = [found.name, f"step-{found.step}", found.run.label, found.run.experiment.name]
    return download(content, extension, words)


def file_content(found: RunPicture, extension: str, width: str, font: Font = "sans") -> bytes | str:
    """`extension` is png, svg, pdf or json; `width` is one of `SIZES`."""
    origin = provenance_of_picture(found)
    if extension == "json":
        whole = {"provenance": asdict(origin), "picture": found.picture.model_dump(mode="json")}
        return json.dumps(whole, ensure_ascii=False, indent=1)
    title = f"{found.title}, step {found.step}: {found.run.label}, {found.run.experiment.name}"
    return print_picture(
        found.picture, extension, SIZES[width], title=title, origin=origin.as_json(), font=font
    )


def _groups(
    runs: Sequence[Run],
    address: Callable[[int, str, int, int], str],
    page: Callable[[int], str],
) -> list[dict[str, Any]]:
    """By name; the first seed of every configuration comes before any second one."""
    groups = configurations(runs)
    label_and_slot = {pk: (g.label, g.slot) for g in groups for pk in g.run_ids}
    order = {pk: (n, place) for place, g in enumerate(groups) for n, pk in enumerate(g.run_ids)}
    seeds = {run.pk: run.seed for run in runs}
    named: dict[str, list[RunPicture]] = {}
    for found in newest_pictures(runs):
        named.setdefault(found.name, []).append(found)
    return [
        {
            "name": name,
            "title": members[0].title,
            "left_out": max(0, len(members) - MOST_BESIDE),
            "tiles": [
                {
                    "run": item.run_id,
                    "label": label_and_slot[item.run_id][0],
                    "slot": label_and_slot[item.run_id][1],
                    "seed": seeds[item.run_id],
                    "step": item.step,
                    "href": page(item.run_id),
                    "url": address(item.run_id, name, item.step, item.pk),
                }
                for item in sorted(members, key=lambda m: order[m.run_id])[:MOST_BESIDE]
            ],
        }
        for name, members in sorted(named.items())
    ]


def _page_of(pk: int) -> str:
    return reverse("runs:detail", args=[pk]) + "#pictures"


def _address(pk: int, name: str, step: int, key: int) -> str:
    return f"{reverse('exports:picture', args=[pk, name, step])}?key={key}"
