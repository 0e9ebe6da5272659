from django.urls import path

from webapp.scheduling import views

app_name = "scheduling"
urlpatterns = [
    path("people/quotas", views.everybodys_quotas, name="quotas"),
    path("people/quotas/<int:pk>", views.set_quota, name="set-quota"),
]
