from django.urls import path

from webapp.single_sign_on import views

app_name = "single_sign_on"
urlpatterns = [
    path("single-sign-on/", views.begin, name="begin"),
    path("single-sign-on/back", views.callback, name="callback"),
]
