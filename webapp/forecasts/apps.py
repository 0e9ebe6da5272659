from django.apps import AppConfig


class ForecastsConfig(AppConfig):
    name = "webapp.forecasts"
    label = "forecasts"

    def ready(self) -> None:
        # Connects the worker's signals; in a web process they never fire.
        from webapp.forecasts import calibrating  # noqa: F401
