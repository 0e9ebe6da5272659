"""The sign-in form, with a limit on attempts."""

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.cache import cache

ATTEMPTS = 10
WINDOW_SECONDS = 300


class SignInForm(AuthenticationForm):
    """Django's form, which refuses further attempts on one name for a while after ten."""

    error_messages = {
        "invalid_login": "This name and password do not match. Both are case-sensitive.",
        "inactive": "This account is switched off; ask an admin of the lab.",
        "too_many": "Too many attempts. Wait five minutes, or ask an admin for a sign-in link.",
    }

    def clean(self) -> dict:
        key = f"sign-in-attempts:{self.cleaned_data.get('username', '').lower()}"
        cache.add(key, 0, timeout=WINDOW_SECONDS)
        if cache.incr(key) > ATTEMPTS:
            raise forms.ValidationError(self.error_messages["too_many"], code="too_many")
        cleaned = super().clean()
        cache.delete(key)
        return cleaned
