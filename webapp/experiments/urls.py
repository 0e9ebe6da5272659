from django.urls import path

from webapp.experiments import detail_views, draft_views, home, views

app_name = "experiments"
urlpatterns = [
    path("", home.home, name="home"),
    path("home/running", home.running, name="running"),
    path("experiments/", views.launch, name="launch"),
    path("experiments/new", views.new, name="new"),
    path("experiments/form", views.form, name="form"),
    path("experiments/preflight/<slug:key>/<int:estimator>", views.preflight, name="preflight"),
    path("experiments/yaml", views.apply_yaml, name="yaml"),
    path("experiments/drafts/<slug:key>/discard", draft_views.discard, name="discard-draft"),
    path("experiments/drafts/<slug:key>/restore", draft_views.restore, name="restore-draft"),
    path("experiments/<int:pk>/", detail_views.detail, name="detail"),
    path("experiments/<int:pk>/rename/", detail_views.rename_experiment, name="rename"),
    path("experiments/<int:pk>/cancel/", detail_views.cancel_experiment, name="cancel"),
    path("experiments/<int:pk>/spec.yaml", detail_views.spec_file, name="spec"),
    path("presets/results", home.preset_results, name="preset-results"),
    path("presets/<slug:slug>/launch", views.launch_preset, name="launch-preset"),
]
