"""Links that show a run, a comparison or a figure to somebody without an account."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from webapp.accounts.models import User, digest_of
from webapp.exports.metrics import find_metric

USE_IS_NOTED_EVERY = timedelta(minutes=1)
ENDED_ARE_LISTED = timedelta(days=30)
"""So long after its end a link is still in its owner's list; then the row goes."""


class Kind(models.TextChoices):
    RUN = "run", "Run"
    COMPARISON = "comparison", "Comparison"
    FIGURE = "figure", "Figure"


class ShareLinkManager(models.Manager["ShareLink"]):
    def issue(self, *, owner: User, lifetime: timedelta, **what: Any) -> tuple[ShareLink, str]:
        """A new link of `owner` and its token in clear, of which only a digest is kept."""
        token = secrets.token_urlsafe(32)
        link = self.create(
            owner=owner,
            prefix=token[: ShareLink.SHOWN],
            digest=digest_of(token),
            expires_at=timezone.now() + lifetime,
            **what,
        )
        return link, token

    def valid(self) -> models.QuerySet[ShareLink]:
        """A link holds as long as the account of whoever made it."""
        return self.filter(
            revoked_at__isnull=True, expires_at__gt=timezone.now(), owner__is_active=True
        )

    def use(self, token: str) -> ShareLink | None:
        """The valid link that `token` opens, with its owner; its use is noted."""
        found = self.valid().select_related("owner").filter(digest=digest_of(token)).first()
        if found is not None:
            now = timezone.now()
            not_just_now = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_IS_NOTED_EVERY)
            self.filter(not_just_now, pk=found.pk).update(last_used_at=now)
        return found


class ShareLink(models.Model):
    """Shows `runs` to whoever has its token, until it expires or is revoked. Stored hashed."""

    SHOWN = 8
    """Characters by which its owner recognises it: 48 of its 256 random bits."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="share_links"
    )
    kind = models.CharField(max_length=20, choices=Kind.choices)
    title = models.CharField(max_length=400)
    runs = ArrayField(models.BigIntegerField())
    metric = models.CharField(
        max_length=120, blank=True, default="", help_text="Of a figure: which one."
    )
    view = models.JSONField(
        default=dict, help_text="How it was drawn when it was shared, as the page's address says."
    )
    prefix = models.CharField(max_length=SHOWN)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ShareLinkManager()

    class Meta:
        ordering = ("-created_at", "-pk")
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="share_link_kind_known"),
            models.CheckConstraint(
                condition=Q(kind=Kind.FIGURE) ^ Q(metric=""), name="share_link_metric_of_figure"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} “{self.title}”, shared by {self.owner}"

    @property
    def chart(self) -> str:
        """Which chart of a comparison a figure is; "" where it is that of a metric."""
        return "" if find_metric(self.metric) else self.metric

    @property
    def state(self) -> str:
        """ "works", "revoked" or "expired"."""
        if self.revoked_at:
            return "revoked"
        return "works" if self.expires_at > timezone.now() else "expired"
