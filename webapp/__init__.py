"""The web of the lab: a Django project whose apps are the folders beside this file."""

from webapp.celery import app as celery_app

__all__ = ["celery_app"]
