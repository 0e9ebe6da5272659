"""Every app writes its whole paths in its own `urls.py`; the home page belongs to experiments."""

from django.urls import include, path

from webapp.health import health

handler400 = "webapp.errors.bad_request"
handler500 = "webapp.errors.server_error"

urlpatterns = [
    path("healthz", health, name="healthz"),
    path("", include("webapp.accounts.urls")),
    path("", include("webapp.single_sign_on.urls")),
    path("", include("webapp.experiments.urls")),
    path("", include("webapp.runs.urls")),
    path("", include("webapp.compare.urls")),
    path("", include("webapp.exports.urls")),
    path("", include("webapp.sharing.urls")),
    path("", include("webapp.workers.urls")),
    path("", include("webapp.scheduling.urls")),
    path("", include("webapp.forecasts.urls")),
    path("", include("webapp.graph_size.urls")),
    path("", include("webapp.gallery.urls")),
    path("", include("webapp.observability.urls")),
    path("", include("webapp.audit.urls")),
    path("", include("webapp.help.urls")),
    path("", include("webapp.search.urls")),
    path("", include("webapp.api.urls")),
]
