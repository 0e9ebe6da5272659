"""What the beat asks for."""

from celery import shared_task

from webapp.sharing.services import clear_ended


@shared_task(name="sharing.clear_ended")
def clear_ended_links() -> None:
    clear_ended()
