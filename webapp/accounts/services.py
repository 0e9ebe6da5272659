"""Writes of the accounts: members, the links that sign them in, and the tokens of scripts."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from webapp.accounts.models import ApiToken, SignInToken, User
from webapp.audit.services import record


def create_member(*, name: str, admin: bool = False) -> User:
    """A member without a password: a link signs them in, and they may set one then."""
    user = User(username=name, role=User.Role.ADMIN if admin else User.Role.MEMBER)
    user.set_unusable_password()
    user.full_clean(exclude=["password"])
    user.save()
    return user


def ensure_admin(*, name: str) -> User:
    """The longest-standing active admin of the lab; created where there is none."""
    admins = User.objects.filter(role=User.Role.ADMIN, is_active=True).order_by("pk")
    return admins.first() or create_member(name=name, admin=True)


@transaction.atomic
def sign_out_everywhere(*, user: User) -> None:
    """End all sessions of `user`, and the sign-in links that nobody has used yet."""
    User.objects.filter(pk=user.pk).update(signed_out_everywhere=F("signed_out_everywhere") + 1)
    user.refresh_from_db(fields=["signed_out_everywhere"])
    SignInToken.objects.filter(user=user, used_at=None).delete()
    record("sign out everywhere", actor=user)


def sign_in_path(*, user: User) -> str:
    """The path of a new one-time link."""
    return reverse("accounts:sign-in-link", args=[SignInToken.objects.issue(user)])


@transaction.atomic
def issue_token(*, user: User, name: str, scopes: Sequence[str], days: int, by: User | None) -> str:
    """A new token of `user` for the API, in clear; it cannot be read again. Nobody (`by`) is who
    sits at the server's own keyboard."""
    lifetime = timedelta(days=days)
    token = ApiToken.objects.issue(user=user, name=name, scopes=list(scopes), lifetime=lifetime)
    record("make a token", actor=by, target=f"{name} of {user}", scopes=list(scopes), days=days)
    return token


@transaction.atomic
def revoke_token(*, token: ApiToken, by: User | None) -> None:
    """Let `token` in no more; one that was revoked before keeps its time."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        record("revoke a token", actor=by, target=f"{token.name} of {token.user}")
