"""What admins do about people: roles, leaving, links, invitations. Each act is in the audit log."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from webapp.accounts.models import Invitation, User
from webapp.accounts.services import sign_in_path
from webapp.audit.services import record


class CannotChange(Exception):
    """Why a change makes no sense, in a sentence for people."""


def everybody() -> QuerySet[User]:
    return User.objects.order_by("-is_active", "username")


def set_role(*, admin: User, person: User, role: str) -> None:
    """Give `person` another role; the lab keeps an active admin."""
    _require_admin(admin)
    if role not in User.Role.values:
        raise CannotChange(f"The role is {role!r}; allowed: {', '.join(User.Role.values)}.")
    with transaction.atomic():
        _lock_admins()
        person.refresh_from_db()
        if role != User.Role.ADMIN:
            _require_another_admin(person)
        before, person.role = person.role, role
        person.save(update_fields=["role"])
        record("change a role", actor=admin, target=_name(person), before=before, after=role)


def set_active(*, admin: User, person: User, active: bool) -> None:
    """Let `person` in, or out: what is theirs stays, their sessions, links and tokens stop."""
    _require_admin(admin)
    with transaction.atomic():
        _lock_admins()
        person.refresh_from_db()
        if not active:
            _require_another_admin(person)
        person.is_active = active
        person.save(update_fields=["is_active"])
        record("restore access" if active else "remove access", actor=admin, target=_name(person))


def new_sign_in_path(*, admin: User, person: User) -> str:
    """The path of a new one-time link for `person`, to hand over."""
    _require_admin(admin)
    record("make a sign-in link", actor=admin, target=_name(person))
    return sign_in_path(user=person)


def invite(*, admin: User, role: str, note: str) -> str:
    """The path of a new invitation: whoever opens it first becomes a member with `role`."""
    _require_admin(admin)
    if role not in User.Role.values:
        raise CannotChange(f"The role is {role!r}; allowed: {', '.join(User.Role.values)}.")
    token = Invitation.objects.issue(invited_by=admin, role=role, note=note)
    record("invite", actor=admin, target=note, role=role)
    return reverse("accounts:join", args=[token])


def withdraw(*, admin: User, invitation: Invitation) -> None:
    _require_admin(admin)
    if Invitation.objects.open().filter(pk=invitation.pk).update(withdrawn_at=timezone.now()):
        record("withdraw an invitation", actor=admin, target=invitation.note)


def join(*, token: str, name: str, password: str) -> User:
    """The new member whom an open invitation makes; it is used up by this.

    Raises `ValidationError`, and uses nothing up, for a name that is taken or cannot be one, and
    for an invitation that is not open any more.
    """
    with transaction.atomic():
        invitation = Invitation.objects.open_with(token, for_update=True)
        if invitation is None:
            raise ValidationError("This invitation is used up, withdrawn or too old.")
        user = User(username=name, role=invitation.role)
        user.set_password(password)
        user.full_clean()
        user.save()
        invitation_used(invitation, by=user)
    return user


def invitation_used(invitation: Invitation, *, by: User) -> None:
    """The invitation has made the member `by`, and makes no other."""
    invitation.used_at, invitation.used_by = timezone.now(), by
    invitation.save(update_fields=["used_at", "used_by"])
    record("join", actor=by, target=invitation.note, role=by.role)


def _require_admin(user: User) -> None:
    if not (user.is_active and user.is_lab_admin):
        raise PermissionDenied("Only an admin of the lab may do that.")


def _lock_admins() -> None:
    """Two admins who let each other out at the same moment would leave none."""
    list(User.objects.select_for_update().filter(role=User.Role.ADMIN).order_by("pk"))


def _require_another_admin(person: User) -> None:
    others = User.objects.filter(role=User.Role.ADMIN, is_active=True).exclude(pk=person.pk)
    if not others.exists():
        raise CannotChange(
            f"{person.get_username()} is the only admin; make somebody else an admin first."
        )


def _name(person: User) -> str:
    return person.get_username()
