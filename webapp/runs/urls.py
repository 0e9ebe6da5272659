from django.urls import path

from webapp.runs import actions, table_urls, views

app_name = "runs"
urlpatterns = [
    *table_urls.urlpatterns,
    path("runs/<int:pk>/", views.detail, name="detail"),
    path("runs/<int:pk>/now/", views.now, name="now"),
    path("runs/<int:pk>/events/", views.events, name="events"),
    path("runs/<int:pk>/log.txt", views.log, name="log"),
    path("runs/<int:pk>/checkpoint/", views.checkpoint, name="checkpoint"),
    path("runs/<int:pk>/pause/", actions.pause_run, name="pause"),
    path("runs/<int:pk>/resume/", actions.resume_run, name="resume"),
    path("runs/<int:pk>/cancel/", actions.cancel_run, name="cancel"),
    path("runs/<int:pk>/priority/", actions.set_run_priority, name="priority"),
    path("runs/<int:pk>/rename/", actions.rename_run, name="rename"),
    path("runs/<int:pk>/notes/", actions.notes, name="notes"),
    path("runs/<int:pk>/delete/", actions.delete_run, name="delete"),
]
