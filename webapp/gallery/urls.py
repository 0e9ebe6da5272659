from django.urls import path, re_path

from webapp.gallery import views

app_name = "gallery"
urlpatterns = [
    path("gallery/", views.index, name="index"),
    path("gallery/<slug:slug>/", views.page, name="page"),
    path("gallery/<slug:slug>/figures", views.figures, name="figures"),
    re_path(
        r"^gallery/(?P<slug>[a-z0-9-]+)/figure\.(?P<extension>png|svg|pdf|csv|json|tex)$",
        views.figure_file,
        name="figure-file",
    ),
    path("gallery/<slug:slug>/launch", views.launch, name="launch"),
]
