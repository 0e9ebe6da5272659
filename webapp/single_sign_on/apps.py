from django.apps import AppConfig


class SingleSignOnConfig(AppConfig):
    name = "webapp.single_sign_on"
    label = "single_sign_on"
