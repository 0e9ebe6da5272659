from django.urls import path, re_path

from webapp.exports import picture_views, views

app_name = "exports"
urlpatterns = [
    path("figures/", views.figures, name="figures"),
    re_path(
        r"^exports/figure\.(?P<extension>png|svg|pdf|csv|json|tex)$",
        views.figure_file,
        name="figure-file",
    ),
    re_path(
        r"^exports/summary\.(?P<extension>csv|json|tex)$", views.summary_file, name="summary-file"
    ),
    path("pictures/", picture_views.beside, name="pictures-beside"),
    path("runs/<int:pk>/pictures/", picture_views.pictures, name="pictures"),
    path("runs/<int:pk>/pictures/<str:name>/<int:step>/", picture_views.picture, name="picture"),
    re_path(
        r"^runs/(?P<pk>[0-9]{1,18})/pictures/(?P<name>[^/]+)/(?P<step>[0-9]{1,10})/"
        r"file\.(?P<extension>png|svg|pdf|json)$",
        picture_views.picture_file,
        name="picture-file",
    ),
]
