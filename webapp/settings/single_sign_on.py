"""The OpenID Connect provider of `OIDC_…`; none where `OIDC_ISSUER` is not set."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

from webapp.settings import environment

ROLES = ("viewer", "member")


@dataclass(frozen=True)
class SingleSignOn:
    issuer: str
    client_id: str
    client_secret: str
    name: str
    """What people call the provider."""
    domains: tuple[str, ...]
    """Whoever has a verified address there may join; others need an invitation."""
    role: str
    """What they are then."""


def single_sign_on() -> SingleSignOn | None:
    issuer = environment.optional("OIDC_ISSUER", "")
    if not issuer:
        return None
    local = ("http://localhost", "http://127.0.0.1")
    if not issuer.startswith(("https://", *local)):
        raise ImproperlyConfigured(f"OIDC_ISSUER is {issuer!r}; an address with https is needed.")
    return SingleSignOn(
        issuer=issuer,
        client_id=environment.required("OIDC_CLIENT_ID"),
        client_secret=environment.required("OIDC_CLIENT_SECRET"),
        name=environment.optional("OIDC_NAME", "single sign-on"),
        domains=tuple(
            domain.lower()
            for domain in environment.words(
                "OIDC_DOMAINS", environment.optional("OIDC_DOMAINS", "")
            )
        ),
        role=environment.one_of("OIDC_ROLE", ROLES),
    )
