"""For the pages that offer it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def single_sign_on(request: HttpRequest) -> dict[str, Any]:
    """What the provider is called; empty where there is none."""
    configured = settings.SINGLE_SIGN_ON
    return {"single_sign_on": configured.name if configured else ""}
