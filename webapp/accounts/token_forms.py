"""The form that makes a token."""

from django import forms

from webapp.accounts.models import Scope


class TokenForm(forms.Form):
    """What a token is called, what it allows, and for how long."""

    name = forms.CharField(max_length=80, label="What is it for?")
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        initial=[Scope.READ],
        error_messages={"required": "Tick at least one."},
    )
    days = forms.TypedChoiceField(
        coerce=int,
        initial=90,
        label="It ends after",
        choices=[(7, "a week"), (30, "30 days"), (90, "90 days"), (365, "a year")],
    )
