"""What the beat asks for: errors that nobody has seen for long make room."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from webapp.observability.models import RecentError

KEPT = timedelta(days=30)
MOST_KEPT = 1_000


@shared_task(name="observability.clear_old_errors")
def clear_old_errors() -> None:
    """Deletes errors last seen before `KEPT`, and the oldest past `MOST_KEPT`."""
    RecentError.objects.filter(last_seen__lt=timezone.now() - KEPT).delete()
    kept = list(RecentError.objects.values_list("pk", flat=True)[:MOST_KEPT])
    RecentError.objects.exclude(pk__in=kept).delete()
