from django.urls import path

from webapp.graph_size import views

app_name = "graph_size"
urlpatterns = [
    path("graph-size/", views.page, name="page"),
    path("graph-size/chart", views.chart, name="chart"),
]
