from django.urls import path

from webapp.workers import views

app_name = "workers"
urlpatterns = [path("queue/", views.queue, name="queue")]
