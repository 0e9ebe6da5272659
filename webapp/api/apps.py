from django.apps import AppConfig


class APIConfig(AppConfig):
    name = "webapp.api"
    label = "api"
