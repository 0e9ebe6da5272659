from django.apps import AppConfig


class LabConfig(AppConfig):
    """The project itself."""

    name = "webapp"

    def ready(self) -> None:
        # So that `shared_task`s belong to the lab's Celery app in every process.
        import webapp.celery  # noqa: F401
