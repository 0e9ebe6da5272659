"""To the provider, and back."""

from __future__ import annotations

import logging

from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from webapp.single_sign_on import provider
from webapp.single_sign_on.errors import NotSignedIn
from webapp.single_sign_on.services import person_of

INVITATION = "invitation"
log = logging.getLogger(__name__)


@login_not_required
@never_cache
@require_GET
def begin(request: HttpRequest) -> HttpResponse:
    """To the provider's page. A link and no form: the content policy lets no form end elsewhere."""
    if not provider.is_there():
        raise Http404("This lab has no single sign-on.")
    request.session[INVITATION] = request.GET.get("invitation", "")[:100]
    try:
        return provider.redirect_there(request)
    except NotSignedIn as refusal:
        return _refused(request, refusal, status=502)


@login_not_required
@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Back from the provider: signed in, or told why not."""
    if not provider.is_there():
        raise Http404("This lab has no single sign-on.")
    signed_in = request.user if request.user.is_authenticated else None
    try:
        claims = provider.claims_of(request)
        invitation = request.session.pop(INVITATION, "")
        user = person_of(claims, invitation=invitation, signed_in=signed_in)
    except NotSignedIn as refusal:
        return _refused(request, refusal, status=403)
    if signed_in is not None:
        return redirect("accounts:account")
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("/")


def _refused(request: HttpRequest, refusal: NotSignedIn, status: int) -> HttpResponse:
    log.warning("Single sign-on: %s (%r)", refusal, refusal.__cause__)
    return render(request, "single_sign_on/refused.html", {"reason": str(refusal)}, status=status)
