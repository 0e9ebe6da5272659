"""The people of a lab: their one-time sign-in links, the tokens of their scripts, invitations."""

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

SIGN_IN_TOKEN_LIFETIME = timedelta(hours=24)
INVITATION_LIFETIME = timedelta(days=7)
USE_IS_NOTED_EVERY = timedelta(minutes=1)
"""A script that asks a hundred times a second does not write as often."""


class User(AbstractUser):
    """A person of the lab. Everybody sees all runs; a viewer launches and changes none, a member
    their own, an admin all of them."""

    class Role(models.TextChoices):
        VIEWER = "viewer", "Viewer"
        MEMBER = "member", "Member"
        ADMIN = "admin", "Admin"

    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    single_keys = models.BooleanField(default=True, help_text="Whether single keys are shortcuts.")
    tour_over = models.BooleanField(default=False, help_text="Whether the first tour is over.")
    signed_out_everywhere = models.PositiveIntegerField(
        default=0, help_text="How often; sessions from before the last time are over."
    )

    @property
    def only_looks(self) -> bool:
        return self.role == self.Role.VIEWER

    def get_session_auth_hash(self) -> str:
        """What a session must know to go on: it changes with the password, and by
        `sign_out_everywhere`."""
        known = f"{super().get_session_auth_hash()}:{self.signed_out_everywhere}"
        return salted_hmac("webapp.accounts.session", known, algorithm="sha256").hexdigest()

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


class Scope(models.TextChoices):
    """What a token allows. Each is given by itself, and none allows more than its person may."""

    READ = "read", "Read"
    LAUNCH = "launch", "Launch"
    ADMIN = "admin", "Admin"


SCOPE_WORDS = {
    Scope.READ: "look at runs, series, comparisons and the queue; validate and forecast",
    Scope.LAUNCH: "launch experiments; pause, resume, cancel and rename what is yours",
    Scope.ADMIN: "delete; and, for an admin of the lab, change what belongs to others",
}


class ApiTokenManager(models.Manager["ApiToken"]):
    def issue(self, *, user: User, name: str, scopes: list[str], lifetime: timedelta) -> str:
        """A new token of `user`, in clear; only its digest and its first characters are kept."""
        token = f"lab_{secrets.token_urlsafe(32)}"
        self.create(
            user=user,
            name=name,
            prefix=token[: ApiToken.SHOWN],
            digest=digest_of(token),
            scopes=scopes,
            expires_at=timezone.now() + lifetime,
        )
        return token

    def valid(self) -> models.QuerySet["ApiToken"]:
        return self.filter(
            revoked_at__isnull=True, expires_at__gt=timezone.now(), user__is_active=True
        )

    def use(self, token: str) -> "ApiToken | None":
        """The valid token that `token` is, with its person; its use is noted."""
        found = self.valid().select_related("user").filter(digest=digest_of(token)).first()
        if found is not None:
            now = timezone.now()
            not_just_now = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_IS_NOTED_EVERY)
            self.filter(not_just_now, pk=found.pk).update(last_used_at=now)
        return found


class ApiToken(models.Model):
    """Lets a script of `user` into the HTTP API. Stored hashed."""

    SHOWN = 12
    """Characters by which its person recognises it: 48 of its 256 random bits."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=SHOWN)
    digest = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=10, choices=Scope.choices))
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenManager()

    class Meta:
        ordering = ("-created_at", "-pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(scopes__contained_by=Scope.values) & ~Q(scopes=[]),
                name="token_scopes_known",
            ),
        )

    def __str__(self) -> str:
        return f"{self.prefix}… of {self.user}: {self.name}"

    @property
    def state(self) -> str:
        """In a word: "valid", "expired" or "revoked"."""
        if self.revoked_at is not None:
            return "revoked"
        return "valid" if self.expires_at > timezone.now() else "expired"


class InvitationManager(models.Manager["Invitation"]):
    def issue(self, *, invited_by: User, role: str, note: str) -> str:
        """A new invitation's token, in clear; only its digest is kept."""
        token = secrets.token_urlsafe(32)
        self.create(
            digest=digest_of(token),
            role=role,
            note=note,
            invited_by=invited_by,
            expires_at=timezone.now() + INVITATION_LIFETIME,
        )
        return token

    def open(self) -> models.QuerySet["Invitation"]:
        return self.filter(used_at=None, withdrawn_at=None, expires_at__gt=timezone.now())

    def open_with(self, token: str, *, for_update: bool = False) -> "Invitation | None":
        found = self.open().filter(digest=digest_of(token))
        return (found.select_for_update() if for_update else found).first()


class Invitation(models.Model):
    """A link that makes one member, with a role that is given beforehand. Stored hashed."""

    digest = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=10, choices=User.Role.choices)
    note = models.CharField(max_length=80, blank=True, default="", help_text="For whom it is.")
    invited_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.OneToOneField(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="invitation"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationManager()

    class Meta:
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"invitation of {self.note or 'somebody'} by {self.invited_by}"
