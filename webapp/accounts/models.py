"""The people of a lab and their one-time sign-in links."""

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone

SIGN_IN_TOKEN_LIFETIME = timedelta(hours=24)


class User(AbstractUser):
    """A person of the lab. Every member sees all runs; an admin may also edit all of them."""

    class Role(models.TextChoices):
        MEMBER = "member", "Member"
        ADMIN = "admin", "Admin"

    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)

    @property
    def is_lab_admin(self) -> bool:
        return self.role == self.Role.ADMIN


def digest_of(token: str) -> str:
    """A token has 256 random bits, so one plain hash keeps it secret."""
    return hashlib.sha256(token.encode()).hexdigest()


class SignInTokenManager(models.Manager["SignInToken"]):
    def issue(self, user: User) -> str:
        """A new token of `user`, in clear; only its digest is kept."""
        token = secrets.token_urlsafe(32)
        self.create(
            user=user,
            digest=digest_of(token),
            expires_at=timezone.now() + SIGN_IN_TOKEN_LIFETIME,
        )
        return token

    def redeem(self, token: str) -> User | None:
        """The user of a valid token, which is used up by this call; otherwise None."""
        now = timezone.now()
        # One conditional UPDATE: of two visits at the same moment, one wins.
        valid = self.filter(
            digest=digest_of(token),
            used_at__isnull=True,
            expires_at__gt=now,
            user__is_active=True,
        )
        if not valid.update(used_at=now):
            return None
        return self.select_related("user").get(digest=digest_of(token)).user


class SignInToken(models.Model):
    """A link that signs its user in once, until it expires. Stored hashed."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_in_tokens")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    objects = SignInTokenManager()

    def __str__(self) -> str:
        return f"sign-in link of {self.user}"
