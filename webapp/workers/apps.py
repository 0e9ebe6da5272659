from django.apps import AppConfig


class WorkersConfig(AppConfig):
    name = "webapp.workers"
    label = "workers"

    def ready(self) -> None:
        # Connects the worker's signals; in a web process they never fire.
        from webapp.workers import pulse  # noqa: F401
