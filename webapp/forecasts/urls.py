from django.urls import path

from webapp.forecasts import accuracy_views, views

app_name = "forecasts"
urlpatterns = [
    path("forecasts/", accuracy_views.page, name="accuracy"),
    path("forecasts/charts", accuracy_views.charts, name="accuracy-charts"),
    path("forecasts/<slug:key>/panel", views.panel, name="panel"),
    path("runs/<int:pk>/forecast", views.run, name="run"),
    path("experiments/<int:pk>/forecast", views.experiment, name="experiment"),
]
