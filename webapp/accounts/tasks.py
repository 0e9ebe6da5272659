"""What the beat asks for: nothing that is expired stays in the database."""

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from webapp.accounts.models import SignInToken


@shared_task(name="accounts.clear_expired")
def clear_expired() -> None:
    """Deletes sessions and sign-in links that are over."""
    SessionStore.clear_expired()
    SignInToken.objects.filter(expires_at__lt=timezone.now()).delete()
