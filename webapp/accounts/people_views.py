"""The admin's page of the lab's people, and the page on which the invited become members."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from webapp.accounts import people
from webapp.accounts.models import Invitation, User
from webapp.accounts.people_forms import InviteForm, JoinForm

View = Callable[..., HttpResponse]


def for_admins(view: View) -> View:
    """To everybody else the page is not there."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not request.user.is_lab_admin:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@never_cache
@require_GET
@for_admins
def everybody(request: HttpRequest) -> HttpResponse:
    return _page(request, InviteForm())


@never_cache
@require_POST
@for_admins
def invite(request: HttpRequest) -> HttpResponse:
    """Makes an invitation; its link is shown in this answer, and never again."""
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    path = people.invite(admin=request.user, **form.cleaned_data)
    return _page(request, InviteForm(), link=path, link_for="invitation")


@require_POST
@for_admins
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    people.withdraw(admin=request.user, invitation=get_object_or_404(Invitation, pk=pk))
    messages.success(request, "The invitation lets nobody in any more.")
    return redirect("accounts:people")


@require_POST
@for_admins
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Another `role`, or `active=yes|no`."""
    person = get_object_or_404(User, pk=pk)
    try:
        if "role" in request.POST:
            people.set_role(admin=request.user, person=person, role=request.POST["role"])
            messages.success(request, f"{person} is now {person.get_role_display().lower()}.")
        else:
            active = request.POST.get("active") == "yes"
            people.set_active(admin=request.user, person=person, active=active)
            messages.success(request, f"{person} may {'' if active else 'not '}sign in.")
    except people.CannotChange as refusal:
        messages.error(request, str(refusal))
    return redirect("accounts:people")


@never_cache
@require_POST
@for_admins
def sign_in_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Makes a one-time link; it is shown in this answer, and never again."""
    person = get_object_or_404(User, pk=pk, is_active=True)
    path = people.new_sign_in_path(admin=request.user, person=person)
    return _page(request, InviteForm(), link=path, link_for=person.get_username())


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """A name and a password make a member of whoever holds an open invitation."""
    invitation = Invitation.objects.open_with(token)
    if invitation is None:
        answer = render(request, "accounts/invitation_refused.html", status=403)
    elif request.method == "POST":
        answer = _joined(request, token, invitation)
    else:
        context = {"form": JoinForm(), "invitation": invitation, "token": token}
        answer = render(request, "accounts/join.html", context)
    # The next page never learns the address that holds the token.
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _joined(request: HttpRequest, token: str, invitation: Invitation) -> HttpResponse:
    form = JoinForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            user = people.join(token=token, name=given["name"], password=given["password"])
        except ValidationError as error:
            form.add_error(None, " ".join(error.messages))
        else:
            login(request, user, backend="django.contrib.auth.backends.ModelBackend")
            return redirect("/")
    context = {"form": form, "invitation": invitation, "token": token}
    return render(request, "accounts/join.html", context, status=422)


def _page(
    request: HttpRequest, form: InviteForm, *, link: str = "", link_for: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "people": people.everybody(),
        "invitations": Invitation.objects.open().select_related("invited_by"),
        "form": form,
        "roles": User.Role.choices,
        "link": request.build_absolute_uri(link) if link else "",
        "link_for": link_for,
    }
    return render(request, "accounts/people.html", context, status=status)
