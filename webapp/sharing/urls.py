from django.urls import path, re_path

from webapp.sharing import public_comparison, public_pictures, public_views, views

FILES = r"(?P<extension>png|svg|pdf|csv|json|tex)"

app_name = "sharing"
urlpatterns = [
    path("share/", views.create, name="create"),
    path("share/links", views.links, name="links"),
    path("share/<int:pk>/revoke", views.revoke_link, name="revoke"),
    path("s/<str:token>", public_views.page, name="page"),
    path("s/<str:token>/state", public_views.state, name="state"),
    path("s/<str:token>/figures", public_views.figures, name="figures"),
    re_path(rf"^s/(?P<token>[^/]+)/figure\.{FILES}$", public_views.figure_file, name="figure-file"),
    path("s/<str:token>/summary", public_comparison.summary, name="summary"),
    re_path(
        r"^s/(?P<token>[^/]+)/summary\.(?P<extension>csv|json|tex)$",
        public_comparison.summary_file,
        name="summary-file",
    ),
    path("s/<str:token>/charts", public_comparison.charts, name="charts"),
    re_path(
        rf"^s/(?P<token>[^/]+)/chart\.{FILES}$", public_comparison.chart_file, name="chart-file"
    ),
    path("s/<str:token>/pictures", public_pictures.pictures, name="pictures"),
    path("s/<str:token>/pictures/<str:name>/<int:step>/", public_pictures.picture, name="picture"),
    re_path(
        r"^s/(?P<token>[^/]+)/pictures/(?P<name>[^/]+)/(?P<step>[0-9]{1,10})/"
        r"file\.(?P<extension>png|svg|pdf|json)$",
        public_pictures.picture_file,
        name="picture-file",
    ),
    path("s/<str:token>/pictures-beside", public_pictures.beside, name="pictures-beside"),
    path(
        "s/<str:token>/pictures-beside/<int:pk>/<str:name>/<int:step>/",
        public_pictures.picture_beside,
        name="picture-beside",
    ),
    path("embed/<str:token>", public_views.embed, name="embed"),
]
