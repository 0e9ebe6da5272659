from django.urls import path

from webapp.observability import views

app_name = "observability"
urlpatterns = [
    path("metrics", views.metrics, name="metrics"),
    path("errors/", views.errors, name="errors"),
    path("errors/forget", views.forget_errors, name="forget"),
]
