from django.urls import path

from webapp.runs import table_views, views

app_name = "runs"
urlpatterns = [
    path("runs/", table_views.runs_table, name="list"),
    path("runs/rows/", table_views.rows, name="rows"),
    path("runs/<int:pk>/", views.detail, name="detail"),
    path("runs/<int:pk>/events/", views.events, name="events"),
    path("runs/<int:pk>/cancel/", views.cancel_run, name="cancel"),
    path("runs/<int:pk>/delete/", views.delete_run, name="delete"),
]
