from django.urls import path

from webapp.experiments import detail_views

app_name = "experiments"
urlpatterns = [
    path("experiments/<int:pk>/", detail_views.detail, name="detail"),
    path("experiments/<int:pk>/rename/", detail_views.rename_experiment, name="rename"),
    path("experiments/<int:pk>/cancel/", detail_views.cancel_experiment, name="cancel"),
    path("experiments/<int:pk>/spec.yaml", detail_views.spec_file, name="spec"),
]
