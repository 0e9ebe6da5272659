"""Who is let in by the provider's word, and as whom. Roles are the lab's own affair."""

from __future__ import annotations

import re
import secrets
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from webapp.accounts.models import Invitation, User
from webapp.accounts.people import invitation_used
from webapp.audit.services import record
from webapp.single_sign_on.errors import NotSignedIn
from webapp.single_sign_on.models import Identity

NOT_IN_A_NAME = re.compile(r"[^\w.@+-]", re.ASCII)


@transaction.atomic
def person_of(
    claims: dict[str, Any], *, invitation: str = "", signed_in: User | None = None
) -> User:
    """The person whom the provider's `claims` sign in; `NotSignedIn` where they let nobody in.

    Known is who came before. Who is `signed_in` already connects their account; who holds an
    `invitation` uses it up; who has a verified address in an allowed domain becomes a member.
    """
    issuer, subject = settings.SINGLE_SIGN_ON.issuer, claims["sub"]
    known = Identity.objects.select_related("user").filter(issuer=issuer, subject=subject).first()
    if known is not None:
        if signed_in is not None and known.user_id != signed_in.pk:
            raise NotSignedIn("This account is connected with somebody else.")
        if not known.user.is_active:
            raise NotSignedIn("This account is switched off; ask an admin of the lab.")
        return known.user
    try:
        with transaction.atomic():
            user = signed_in or _invited(claims, invitation) or _of_a_domain(claims)
            Identity.objects.create(user=user, issuer=issuer, subject=subject)
    except (IntegrityError, ValidationError) as error:
        # Two browsers of one person at the same moment, or two persons who want one name.
        raise NotSignedIn("Somebody came at the same moment; try again.") from error
    record("connect", actor=user, target=settings.SINGLE_SIGN_ON.name)
    return user


def _invited(claims: dict[str, Any], token: str) -> User | None:
    invitation = Invitation.objects.open_with(token, for_update=True) if token else None
    if invitation is None:
        return None
    user = _new_person(claims, invitation.role)
    invitation_used(invitation, by=user)
    return user


def _of_a_domain(claims: dict[str, Any]) -> User:
    address = str(claims.get("email", "")).lower()
    domain = address.rpartition("@")[2]
    allowed = settings.SINGLE_SIGN_ON.domains
    if claims.get("email_verified") is not True or domain not in allowed:
        raise NotSignedIn("You are not a member of this lab; ask an admin for an invitation.")
    user = _new_person(claims, settings.SINGLE_SIGN_ON.role)
    record("join", actor=user, target=address, role=user.role)
    return user


def _new_person(claims: dict[str, Any], role: str) -> User:
    """A person without a password, under the name that they have there or one close to it."""
    wanted = str(claims.get("preferred_username") or claims.get("email") or "member")
    name = NOT_IN_A_NAME.sub("", wanted.partition("@")[0])[:100] or "member"
    while User.objects.filter(username__iexact=name).exists():
        name = f"{name[:100]}-{secrets.token_hex(2)}"
    user = User(username=name, role=role)
    user.set_unusable_password()
    user.full_clean(exclude=["password"])
    user.save()
    return user
