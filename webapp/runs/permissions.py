"""Who may change what. Every member of the lab sees every run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied

if TYPE_CHECKING:
    from webapp.accounts.models import User
    from webapp.experiments.models import Experiment


def may_change(user: User, experiment: Experiment) -> bool:
    """Whether `user` may cancel, delete, rename or edit `experiment` and its runs."""
    if not user.is_active or user.only_looks:
        return False
    return experiment.owner_id == user.pk or user.is_lab_admin


def require_launch(user: User) -> None:
    """Raise `PermissionDenied`, with a sentence for the person, for a viewer."""
    if not user.is_active or user.only_looks:
        raise PermissionDenied("Viewers look; a member or an admin of the lab may launch.")


def require_change(user: User, experiment: Experiment, action: str) -> None:
    """Raise `PermissionDenied`, with a sentence for the person, unless `may_change`."""
    if not may_change(user, experiment):
        raise PermissionDenied(
            f"Only {experiment.owner.get_username()} or an admin of the lab may {action}."
        )
