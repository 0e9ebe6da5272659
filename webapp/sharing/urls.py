from django.urls import path, re_path

from webapp.sharing import public_views, views

app_name = "sharing"
urlpatterns = [
    path("share/", views.create, name="create"),
    path("share/links", views.links, name="links"),
    path("share/<int:pk>/revoke", views.revoke_link, name="revoke"),
    path("s/<str:token>", public_views.page, name="page"),
    path("s/<str:token>/state", public_views.state, name="state"),
    path("s/<str:token>/figures", public_views.figures, name="figures"),
    re_path(
        r"^s/(?P<token>[^/]+)/figure\.(?P<extension>png|svg|pdf|csv|json|tex)$",
        public_views.figure_file,
        name="figure-file",
    ),
    re_path(
        r"^s/(?P<token>[^/]+)/summary\.(?P<extension>csv|json|tex)$",
        public_views.summary_file,
        name="summary-file",
    ),
    path("s/<str:token>/pictures", public_views.pictures, name="pictures"),
    path("s/<str:token>/pictures/<str:name>/<int:step>/", public_views.picture, name="picture"),
    re_path(
        r"^s/(?P<token>[^/]+)/pictures/(?P<name>[^/]+)/(?P<step>[0-9]{1,10})/"
        r"file\.(?P<extension>png|svg|pdf|json)$",
        public_views.picture_file,
        name="picture-file",
    ),
    path("embed/<str:token>", public_views.embed, name="embed"),
]
