from django.urls import path

from webapp.workers import views

app_name = "workers"
urlpatterns = [
    path("queue/", views.queue, name="queue"),
    path("queue/workers/<int:pk>/<str:act>", views.act_on_worker, name="act-on-worker"),
    path("queue/runs/<int:pk>/<str:act>", views.act_on_run, name="act-on-run"),
]
