"""What every answer and every request passes: the content policy, and the sign-in wall."""

from collections.abc import Callable

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url

from webapp.api.problems import not_signed_in

# Plotly sets style attributes from its script, which is why styles alone may be inline.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


class ContentSecurityPolicyMiddleware:
    """Sends the policy with every answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        return response


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Sends visitors to the sign-in page, each kind of client in the way that it understands.

    A request to the API that brings a token goes on: every route there asks for one.
    """

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase], *arguments: object
    ) -> HttpResponseBase | None:
        if request.path.startswith("/api/") and "Authorization" in request.headers:
            return None
        return super().process_view(request, view_func, *arguments)

    def handle_no_permission(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseBase:
        if request.path.startswith("/api/"):
            return not_signed_in()
        if request.headers.get("HX-Request") == "true":
            # A redirect would put the sign-in page inside the fragment that htmx asked for.
            answer = HttpResponse(status=401)
            answer.headers["HX-Redirect"] = resolve_url(self.get_login_url(view_func))
            return answer
        return super().handle_no_permission(request, view_func)
