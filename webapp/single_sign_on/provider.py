"""The provider that the server's keeper named, and what it says of who signed in there.

The library Authlib goes through the code flow with PKCE, state and nonce, and checks the signature
of the identity token; issuer and audience it checks because they are asked for here.
"""

from __future__ import annotations

from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.django_client import OAuth
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from joserfc.errors import JoseError

from webapp.single_sign_on.errors import NotSignedIn

PATIENCE_SECONDS = 10
UNREADABLE = (requests.RequestException, AuthlibBaseError, JoseError, KeyError, ValueError)
"""What a provider that is away, wrong or hostile may cause."""


def is_there() -> bool:
    return settings.SINGLE_SIGN_ON is not None


def redirect_there(request: HttpRequest) -> HttpResponse:
    """To the provider's page. Raises `NotSignedIn` where it cannot be reached."""
    back = request.build_absolute_uri(reverse("single_sign_on:callback"))
    try:
        return _client().authorize_redirect(request, back)
    except (*UNREADABLE, RuntimeError) as error:
        raise NotSignedIn(f"{settings.SINGLE_SIGN_ON.name} cannot be reached now.") from error


def claims_of(request: HttpRequest) -> dict[str, Any]:
    """What the provider says of who comes back from it. Raises `NotSignedIn`."""
    configured = settings.SINGLE_SIGN_ON
    if request.GET.get("error"):
        raise NotSignedIn(f"{configured.name} let nobody in.")
    try:
        client = _client()
        token = client.authorize_access_token(
            request,
            claims_options={
                "iss": {"essential": True, "value": client.load_server_metadata()["issuer"]},
                "aud": {"essential": True, "value": configured.client_id},
            },
            leeway=PATIENCE_SECONDS,
        )
        claims = dict(token["userinfo"])
    except (*UNREADABLE, RuntimeError) as error:
        raise NotSignedIn(f"What {configured.name} answered is not valid; try again.") from error
    if not (isinstance(claims.get("sub"), str) and 0 < len(claims["sub"]) <= 255):
        raise NotSignedIn(f"{configured.name} does not say who you are.")
    return claims


def _client() -> Any:
    configured = settings.SINGLE_SIGN_ON
    if configured is None:
        raise Http404("This lab has no single sign-on.")
    address = configured.issuer.rstrip("/") + "/.well-known/openid-configuration"
    oauth = OAuth()
    oauth.register(
        "provider",
        client_id=configured.client_id,
        client_secret=configured.client_secret,
        server_metadata_url=address,
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "default_timeout": PATIENCE_SECONDS,
        },
    )
    return oauth.provider
