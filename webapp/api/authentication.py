"""Who asks: a person's session on our own pages, or a script's token, and what a token may do."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from ninja.security import HttpBearer, django_auth

from webapp.accounts.models import ApiToken, Scope, User
from webapp.experiments.models import Experiment


class UnknownToken(Exception):
    """The token of a request lets nobody in."""

    def __init__(self) -> None:
        super().__init__("The token is unknown, expired or revoked. Make one under Account.")


class TokenAuth(HttpBearer):
    """`Authorization: Bearer lab_…`, of a token that has the scope of the route."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> User:
        found = ApiToken.objects.use(token)
        if found is None:
            raise UnknownToken
        _require_scope(found, self.scope, "This needs")
        if self.scope != Scope.READ and found.user.only_looks:
            raise PermissionDenied("Viewers look; a member or an admin of the lab may do that.")
        request.user, request.api_token = found.user, found
        return found.user


def needs(scope: Scope) -> list:
    """What a route that needs `scope` accepts; a session has every scope, and a CSRF token."""
    return [TokenAuth(scope), django_auth]


def token_of(request: HttpRequest) -> ApiToken | None:
    """The token that let `request` in; None for a session."""
    return getattr(request, "api_token", None)


def require_reach(request: HttpRequest, experiment: Experiment) -> None:
    """A token changes what belongs to others only with the scope admin, whoever has it."""
    token = token_of(request)
    if token is not None and experiment.owner_id != token.user_id:
        _require_scope(token, Scope.ADMIN, "To change what belongs to others needs")


def _require_scope(token: ApiToken, scope: Scope, what_needs: str) -> None:
    if scope not in token.scopes:
        raise PermissionDenied(
            f"{what_needs} a token with the scope {scope}; "
            f"{token.prefix}… has {', '.join(token.scopes)}."
        )
