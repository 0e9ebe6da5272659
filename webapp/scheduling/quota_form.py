"""The form of one row of quotas."""

from __future__ import annotations

from django import forms
from django.utils.text import capfirst

from webapp.scheduling.quotas import BOUNDS, WORDS


class QuotaForm(forms.Form):
    """A bound that is left empty is the lab's; of the lab, it is none."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        for bound in BOUNDS:
            self.fields[bound] = forms.IntegerField(
                label=capfirst(WORDS[bound]),
                required=False,
                min_value=0,
                max_value=2**31 - 1,
            )

    def sentences(self) -> str:
        """What is wrong, each with the bound and the value that was given."""
        return " ".join(
            f"{self.fields[name].label} is {self.data.get(name, '')!r}: {' '.join(errors)}"
            for name, errors in self.errors.items()
        )
