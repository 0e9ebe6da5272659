from django.urls import path

from webapp.help import views

app_name = "help"
urlpatterns = [
    path("help/", views.index, name="index"),
    path("help/fields", views.fields, name="fields"),
    path("help/charts", views.charts, name="charts"),
    path("help/queries", views.queries, name="queries"),
    path("help/estimators", views.estimators, name="estimators"),
    path("help/estimators/<str:kind>", views.estimator, name="estimator"),
]
