from django.apps import AppConfig


class ForecastsConfig(AppConfig):
    name = "webapp.forecasts"
    label = "forecasts"
