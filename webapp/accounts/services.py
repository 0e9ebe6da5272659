"""Writes of the accounts: members, and the links that sign them in."""

from django.urls import reverse

from webapp.accounts.models import SignInToken, User


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


def sign_in_path(*, user: User) -> str:
    """The path of a new one-time link."""
    return reverse("accounts:sign-in-link", args=[SignInToken.objects.issue(user)])
