from django.urls import path

from webapp.forecasts import views

app_name = "forecasts"
urlpatterns = [path("forecasts/<slug:key>/panel", views.panel, name="panel")]
