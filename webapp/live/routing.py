"""Where the websockets are."""

from django.urls import path

from webapp.live.consumer import RunsConsumer

websocket_urlpatterns = [path("ws/runs/", RunsConsumer.as_asgi())]
