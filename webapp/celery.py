"""The Celery app of the lab: queues `cpu`, `gpu` and `forecast`, tasks in each app's `tasks`."""

import logging.config
import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings.development")

app = Celery("lab")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def log_as_the_web_does(**_: object) -> None:
    """Celery would replace the lab's handlers by its own."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)
