"""Who a person is at the provider."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Identity(models.Model):
    """The account `subject` of the provider `issuer` signs `user` in. The provider promises that a
    subject is for ever one person's; names and addresses are not."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="identities"
    )
    issuer = models.CharField(max_length=200)
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "identities"
        constraints = (
            models.UniqueConstraint(fields=["issuer", "subject"], name="identity_of_one_person"),
        )

    def __str__(self) -> str:
        return f"{self.user} at {self.issuer}"
