"""The HTTP API, version 1. See `docs/api.md`.

A script comes with a token. The live pages use it too, signed in by their session: then unsafe
methods need the CSRF token.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from webapp.accounts.models import Scope
from webapp.api import comparison, experiments, forecast, lab, pictures, runs, series
from webapp.api.authentication import needs
from webapp.api.describing import DescribedAPI
from webapp.api.refusals import answer_refusals

# Ninja's page for the documentation loads scripts from elsewhere, and its view of the schema asks
# for no token; the schema as a route is enough.
api = DescribedAPI(
    title="Meta-optimization lab",
    version="1",
    description=(
        "Launch experiments, follow their runs and load what they measured. Send a token of your "
        "account as `Authorization: Bearer lab_…`. What is refused comes as problem details "
        "(RFC 9457); `errors` then names each field, what was given and what is allowed."
    ),
    urls_namespace="api-v1",
    auth=needs(Scope.READ),
    docs_url=None,
    openapi_url=None,
)
for part in (experiments, forecast, runs, series, pictures, comparison, lab):
    api.add_router("", part.router)
answer_refusals(api)


@api.get("/openapi.json", include_in_schema=False)
def openapi(request: HttpRequest) -> dict[str, Any]:
    """This API, described for programs; it needs a sign-in as every other route does."""
    return api.get_openapi_schema()
