"""Where the API is."""

from django.urls import path

from webapp.api.endpoints import api

urlpatterns = [path("api/v1/", api.urls)]
