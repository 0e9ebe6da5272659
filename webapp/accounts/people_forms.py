"""The forms by which people are invited, and join."""

from __future__ import annotations

from django import forms
from django.contrib.auth.password_validation import validate_password

from webapp.accounts.models import User


class InviteForm(forms.Form):
    note = forms.CharField(label="For whom", max_length=80, strip=True)
    role = forms.ChoiceField(choices=User.Role.choices, initial=User.Role.MEMBER)


class JoinForm(forms.Form):
    name = forms.CharField(
        label="Name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def clean_password(self) -> str:
        password = self.cleaned_data["password"]
        validate_password(password, User(username=self.cleaned_data.get("name", "")))
        return password
