"""The addresses of the table of runs."""

from django.urls import path

from webapp.runs import table_actions, table_views

urlpatterns = [
    path("runs/", table_views.runs_table, name="list"),
    path("runs/rows/", table_views.rows, name="rows"),
    path("runs/complete/", table_views.complete, name="complete"),
    path("runs/act/", table_actions.act_on_runs, name="act"),
    path("runs/columns/", table_actions.choose_columns, name="columns"),
    path("runs/views/", table_actions.save_view, name="save-view"),
    path("runs/views/<int:pk>/delete/", table_actions.delete_view, name="delete-view"),
]
