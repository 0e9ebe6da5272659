"""One's tokens for scripts: the list, a form that makes one, and its revocation."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from webapp.accounts.models import SCOPE_WORDS, ApiToken, Scope
from webapp.accounts.services import issue_token, revoke_token
from webapp.accounts.token_forms import TokenForm


@never_cache
@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """The page of one's tokens. A new one is shown in the answer that makes it, and never again."""
    form = TokenForm(request.POST or None)
    made, status = "", 200
    if request.method == "POST":
        if form.is_valid():
            made = issue_token(user=request.user, by=request.user, **form.cleaned_data)
            form = TokenForm()
        else:
            status = 422
    context = {
        "form": form,
        "made": made,
        "scopes": [(scope, scope.label, SCOPE_WORDS[scope]) for scope in Scope],
        "tokens": request.user.api_tokens.all(),
        "now": timezone.now(),
    }
    return render(request, "accounts/tokens.html", context, status=status)


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    token = ApiToken.objects.filter(user=request.user, pk=pk).first()
    if token is None:
        raise Http404(f"There is no token {pk}.")
    revoke_token(token=token, by=request.user)
    messages.success(request, f"The token “{token.name}” lets nobody in any more.")
    return redirect("accounts:tokens")
