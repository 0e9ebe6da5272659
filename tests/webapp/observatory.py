"""The tests and scores of Mozilla's HTTP Observatory, computed on an answer of ours.

From its documentation of version 5 (developer.mozilla.org/observatory, "tests and scoring"):
each test changes a score of 100; what it adds counts where nothing has taken more than 10 away.
What needs a third party (preload lists, certificates) is left out, and so gives nothing.
"""

from __future__ import annotations

from http.cookies import Morsel

from django.http import HttpResponse

HALF_A_YEAR = 15_768_000
PRIVATE_REFERRERS = {
    "no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin",
}  # fmt: skip
COUNTS_FROM = 90


def score(answer: HttpResponse) -> int:
    changes = modifiers(answer)
    lost = 100 + sum(change for change in changes.values() if change < 0)
    won = sum(change for change in changes.values() if change > 0)
    return max(lost, 0) if lost < COUNTS_FROM else lost + won


def modifiers(answer: HttpResponse) -> dict[str, int]:
    """By test, what an answer over HTTPS gains or loses."""
    return {
        "content policy": content_policy(answer.headers.get("Content-Security-Policy", "")),
        "cookies": cookies(list(answer.cookies.values())),
        "sharing across origins": -50
        if answer.headers.get("Access-Control-Allow-Origin") == "*"
        else 0,
        "strict transport": strict_transport(answer.headers.get("Strict-Transport-Security", "")),
        "referrer": 5 if answer.headers.get("Referrer-Policy") in PRIVATE_REFERRERS else 0,
        "sniffing": 0 if answer.headers.get("X-Content-Type-Options") == "nosniff" else -5,
        "framing": framing(answer),
        "resources": resources(answer.headers.get("Cross-Origin-Resource-Policy", "")),
    }


def directives(policy: str) -> dict[str, set[str]]:
    parts = [part.split() for part in policy.split(";") if part.strip()]
    return {part[0]: set(part[1:]) for part in parts}


def content_policy(policy: str) -> int:
    found = directives(policy)
    fallback = found.get("default-src", {"*"})
    scripts, styles = found.get("script-src", fallback), found.get("style-src", fallback)
    objects = found.get("object-src", fallback)
    too_wide = {"*", "http:", "https:", "data:", "'unsafe-inline'"}
    if not policy:
        return -25
    if scripts & too_wide or objects & {"*", "http:", "https:", "data:"}:
        return -20
    if "'unsafe-eval'" in scripts:
        return -10
    if styles & too_wide:
        return 0
    return 10 if fallback == {"'none'"} else 5


def cookies(given: list[Morsel]) -> int:
    if not given:
        return 0
    for cookie in given:
        session = "sess" in cookie.key.lower() or "login" in cookie.key.lower()
        if not cookie["secure"]:
            return -40 if session else -20
        if session and not cookie["httponly"]:
            return -30
        if "csrf" in cookie.key.lower() and not cookie["samesite"]:
            return -20
    return 5 if all(cookie["samesite"] in ("Lax", "Strict") for cookie in given) else 0


def strict_transport(header: str) -> int:
    ages = [part.strip() for part in header.split(";") if part.strip().startswith("max-age=")]
    if not ages:
        return -20
    return 0 if int(ages[0].removeprefix("max-age=")) >= HALF_A_YEAR else -10


def framing(answer: HttpResponse) -> int:
    found = directives(answer.headers.get("Content-Security-Policy", ""))
    if "frame-ancestors" in found:
        return 5
    return 0 if answer.headers.get("X-Frame-Options") in ("DENY", "SAMEORIGIN") else -20


def resources(header: str) -> int:
    return {"same-origin": 10, "same-site": 10, "cross-origin": 0, "": 0}.get(header, -5)
