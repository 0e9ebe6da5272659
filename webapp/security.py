"""What every answer and every request passes: the content policy, the sign-in wall, and what
viewers may send."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url

from webapp.api.problems import not_signed_in

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        # Plotly empties style attributes of contours; this is the hash of nothing.
        "style-src-attr 'unsafe-hashes' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
        "font-src 'self'",
        # Plotly and the preview of an export draw into blobs and data addresses.
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
)
"""What no page of the lab may ask its visitor for."""


class ContentSecurityPolicyMiddleware:
    """Sends the policies with every answer; a view that has its own keeps it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response


GALLERY = {"gallery:index", "gallery:page", "gallery:figures", "gallery:figure-file"}
"""What visitors may look at where the lab's settings say so (GALLERY_OPEN)."""


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Sends visitors to the sign-in page, each kind of client in the way that it understands.

    A request to the API that brings a token goes on: every route there asks for one.
    """

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase], *arguments: object
    ) -> HttpResponseBase | None:
        if request.path.startswith("/api/") and "Authorization" in request.headers:
            return None
        if settings.GALLERY_OPEN and request.resolver_match.view_name in GALLERY:
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


SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
VIEWERS_MAY_SEND = {
    "accounts:sign-in",
    "accounts:sign-out",
    "accounts:sign-out-elsewhere",
    "accounts:join",
    "accounts:account",
    "accounts:single-keys",
    "accounts:tour",
    "accounts:tokens",
    "accounts:revoke-token",
    "runs:columns",
    "experiments:discard-draft",
    "experiments:restore-draft",
    # The form, its forecast and its checks keep nothing but a draft.
    "experiments:form",
    "experiments:yaml",
    "api-v1:validate",
    "api-v1:forecast",
}
"""Routes that change nothing of the lab, or only what is the viewer's own."""


class ViewersLookMiddleware:
    """Refuses what a viewer's session sends to change something, whatever route it is sent to: a
    new route is closed to viewers until it is named. (Tokens: see webapp.api.authentication.)"""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable, args: tuple, kwargs: dict
    ) -> HttpResponseBase | None:
        user = request.user
        if request.method in SAFE_METHODS or not user.is_authenticated or not user.only_looks:
            return None
        if request.resolver_match.view_name in VIEWERS_MAY_SEND:
            return None
        raise PermissionDenied("Viewers look; a member or an admin of the lab may do that.")
