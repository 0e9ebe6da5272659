"""What every answer and every request passes: the content policy, and the sign-in wall."""

from collections.abc import Callable

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import resolve_url

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
    """Sends visitors to the sign-in page, each kind of client in the way that it understands."""

    def handle_no_permission(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseBase:
        if request.path.startswith("/api/"):
            return JsonResponse({"detail": "Sign in first."}, status=401)
        if request.headers.get("HX-Request") == "true":
            # A redirect would put the sign-in page inside the fragment that htmx asked for.
            answer = HttpResponse(status=401)
            answer.headers["HX-Redirect"] = resolve_url(self.get_login_url(view_func))
            return answer
        return super().handle_no_permission(request, view_func)
