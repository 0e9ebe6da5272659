from django.urls import path, re_path

from webapp.exports import views

app_name = "exports"
urlpatterns = [
    path("figures/", views.figures, name="figures"),
    re_path(
        r"^exports/figure\.(?P<extension>png|svg|pdf|csv)$", views.figure_file, name="figure-file"
    ),
    path("exports/summary.csv", views.summary_file, name="summary-file"),
]
