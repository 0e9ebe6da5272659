"""Pictures behind a link: those of a run, and those of a comparison beside each other."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from webapp.exports.picture_views import (
    beside_answer,
    picture_answer,
    picture_file_answer,
    pictures_answer,
)
from webapp.runs.models import Run
from webapp.runs.selectors import picture_for
from webapp.sharing.models import Kind, ShareLink
from webapp.sharing.opening import gone, of_a_link


@of_a_link
def pictures(
    request: HttpRequest, token: str, link: ShareLink, runs: list[Run]
) -> HttpResponseBase:
    """Which pictures a shared run has."""

    def address(name: str, step: int, key: int) -> str:
        return f"{reverse('sharing:picture', args=[token, name, step])}?key={key}"

    return pictures_answer(runs[0], address) if link.kind == Kind.RUN else gone(request)


@of_a_link
def picture(
    request: HttpRequest, token: str, link: ShareLink, runs: list[Run], name: str, step: int
) -> HttpResponseBase:
    if link.kind != Kind.RUN:
        return gone(request)
    return picture_answer(picture_for(link.owner, runs[0].pk, name, step))


@of_a_link
def picture_file(
    request: HttpRequest,
    token: str,
    link: ShareLink,
    runs: list[Run],
    name: str,
    step: str,
    extension: str,
) -> HttpResponseBase:
    if link.kind != Kind.RUN:
        return gone(request)
    found = picture_for(link.owner, runs[0].pk, name, int(step))
    return picture_file_answer(found, request.GET, extension)


@of_a_link
def beside(request: HttpRequest, token: str, link: ShareLink, runs: list[Run]) -> HttpResponseBase:
    """The newest pictures of the runs of a shared comparison."""

    def address(pk: int, name: str, step: int, key: int) -> str:
        return f"{reverse('sharing:picture-beside', args=[token, pk, name, step])}?key={key}"

    if link.kind != Kind.COMPARISON:
        return gone(request)
    return beside_answer(runs, address)


@of_a_link
def picture_beside(
    request: HttpRequest,
    token: str,
    link: ShareLink,
    runs: list[Run],
    pk: int,
    name: str,
    step: int,
) -> HttpResponseBase:
    if link.kind != Kind.COMPARISON or pk not in {run.pk for run in runs}:
        return gone(request)
    return picture_answer(picture_for(link.owner, pk, name, step))
