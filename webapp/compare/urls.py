from django.urls import path

from webapp.compare import views

app_name = "compare"
urlpatterns = [
    path("compare", views.compare, name="compare"),
    path("compare/summary", views.summary, name="summary"),
]
