from django.urls import path, re_path

from webapp.compare import views

app_name = "compare"
urlpatterns = [
    path("compare", views.compare, name="compare"),
    path("compare/summary", views.summary, name="summary"),
    path("compare/charts", views.charts, name="charts"),
    path("compare/to-add", views.to_add, name="to-add"),
    re_path(
        r"^compare/chart\.(?P<extension>png|svg|pdf|csv|json|tex)$",
        views.chart_file,
        name="chart-file",
    ),
]
