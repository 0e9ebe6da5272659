"""The sign-in form; attempts are limited by django-axes, see AXES_… in the settings."""

from django.contrib.auth.forms import AuthenticationForm


class SignInForm(AuthenticationForm):
    """Django's form, in our words."""

    error_messages = {
        "invalid_login": "This name and password do not match. Both are case-sensitive.",
        "inactive": "This account is switched off; ask an admin of the lab.",
    }
