from django.urls import path

from webapp.accounts import people_views, token_views, views

app_name = "accounts"
urlpatterns = [
    path("sign-in/", views.SignInView.as_view(), name="sign-in"),
    path("sign-in/<str:token>/", views.sign_in_with_link, name="sign-in-link"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("account/sign-out-elsewhere", views.sign_out_elsewhere, name="sign-out-elsewhere"),
    path("account/", views.AccountView.as_view(), name="account"),
    path("account/tokens/", token_views.tokens, name="tokens"),
    path("account/tokens/<int:pk>/revoke/", token_views.revoke, name="revoke-token"),
    path("account/single-keys", views.set_single_keys, name="single-keys"),
    path("account/tour", views.end_tour, name="tour"),
    path("join/<str:token>/", people_views.join, name="join"),
    path("people/", people_views.everybody, name="people"),
    path("people/invite", people_views.invite, name="invite"),
    path("people/invitations/<int:pk>/withdraw", people_views.withdraw, name="withdraw"),
    path("people/<int:pk>/change", people_views.change, name="change-person"),
    path("people/<int:pk>/link", people_views.sign_in_link, name="link-for-person"),
]
