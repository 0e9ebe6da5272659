"""What the environment says of the provider."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from webapp.settings.single_sign_on import single_sign_on

WHOLE = {
    "OIDC_ISSUER": "https://id.uni.example",
    "OIDC_CLIENT_ID": "lab",
    "OIDC_CLIENT_SECRET": "x",
}


def read(monkeypatch: pytest.MonkeyPatch, **changed: str):
    for name, value in {**WHOLE, **changed}.items():
        monkeypatch.setenv(name, value)
    return single_sign_on()


def test_there_is_none_unless_it_is_named(monkeypatch):
    assert read(monkeypatch, OIDC_ISSUER="") is None


def test_all_of_it_is_read(monkeypatch):
    found = read(monkeypatch, OIDC_DOMAINS="Uni.Example, lab.example", OIDC_ROLE="member")
    assert found.domains == ("uni.example", "lab.example")
    assert (found.role, found.name) == ("member", "single sign-on")
    assert read(monkeypatch, OIDC_DOMAINS="", OIDC_ROLE="").role == "viewer"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"OIDC_CLIENT_ID": ""}, "OIDC_CLIENT_ID is missing"),
        ({"OIDC_CLIENT_SECRET": ""}, "OIDC_CLIENT_SECRET is missing"),
        ({"OIDC_ISSUER": "http://id.uni.example"}, "an address with https is needed"),
        ({"OIDC_ROLE": "admin"}, "OIDC_ROLE is 'admin'; allowed are: viewer, member"),
    ],
)
def test_what_is_wrong_is_named(monkeypatch, changed: dict[str, str], message: str):
    with pytest.raises(ImproperlyConfigured, match=message):
        read(monkeypatch, **changed)
