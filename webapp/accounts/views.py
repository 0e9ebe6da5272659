"""Sign in by password or by a one-time link, sign out, and one's own account."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from django.views.generic import FormView

from webapp.accounts.forms import SignInForm
from webapp.accounts.models import SignInToken
from webapp.accounts.services import sign_out_everywhere

PAGE_WITH_A_FORM = ["get", "head", "options", "post"]


class SignInView(LoginView):
    """Name and password."""

    http_method_names = PAGE_WITH_A_FORM
    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True


def locked_out(request: HttpRequest, credentials: dict | None) -> HttpResponse:
    """What django-axes answers to one attempt too many."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    answer = render(request, "accounts/locked_out.html", {"seconds": seconds}, status=429)
    answer.headers["Retry-After"] = str(seconds)
    return answer


@login_not_required
@never_cache
@require_GET
def sign_in_with_link(request: HttpRequest, token: str) -> HttpResponse:
    """Uses up a one-time link. The next page never learns the address that holds the token."""
    user = SignInToken.objects.redeem(token)
    if user is not None:
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        response = redirect("/")
    elif request.user.is_authenticated:
        # The link was opened twice by the person whom it has signed in already.
        response = redirect("/")
    else:
        response = render(request, "accounts/link_refused.html", status=403)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("accounts:sign-in")


@require_POST
def sign_out_elsewhere(request: HttpRequest) -> HttpResponse:
    """Ends every session of this person but the one that asks."""
    sign_out_everywhere(user=request.user)
    update_session_auth_hash(request, request.user)
    messages.success(request, "You are signed out on every other device.")
    return redirect("accounts:account")


@require_POST
def set_single_keys(request: HttpRequest) -> HttpResponse:
    """Switches single-key shortcuts on (`single_keys=on`) or off (left out, as a checkbox does)."""
    request.user.single_keys = "single_keys" in request.POST
    request.user.save(update_fields=["single_keys"])
    return HttpResponse(status=204)


@require_POST
def end_tour(request: HttpRequest) -> HttpResponse:
    """The tour of the first visit is over for this person; `again=on` starts it anew."""
    again = "again" in request.POST
    request.user.tour_over = not again
    request.user.save(update_fields=["tour_over"])
    return redirect("/") if again else HttpResponse(status=204)


class AccountView(FormView):
    """Who I am, and a form that sets my password (the first one, or a new one)."""

    http_method_names = PAGE_WITH_A_FORM
    template_name = "accounts/account.html"
    form_class = SetPasswordForm
    success_url = reverse_lazy("accounts:account")

    def get_form_kwargs(self) -> dict:
        return {**super().get_form_kwargs(), "user": self.request.user}

    def form_valid(self, form: SetPasswordForm) -> HttpResponse:
        user = form.save()
        update_session_auth_hash(self.request, user)
        messages.success(self.request, "Your password is set.")
        return super().form_valid(form)
