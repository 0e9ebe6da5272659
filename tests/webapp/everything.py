"""One of everything that an address can name, made through the services that the pages use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.utils import timezone

from tests.webapp.factories import claimed, launched, person, points
from webapp.accounts.models import Invitation, SignInToken, User
from webapp.accounts.services import issue_token
from webapp.experiments.models import SavedDraft
from webapp.runs import services
from webapp.runs.table_models import SavedView
from webapp.sharing.services import share
from webapp.workers.models import Worker


@contextmanager
def everything() -> Iterator[dict[str, str]]:
    """The keys of `PATHS` in test_authorisation.py, for as long as the block lasts: `vic` is a
    viewer, `oli` owns the things, `mel` is another member and `ada` an admin."""
    with transaction.atomic():
        person("vic", role=User.Role.VIEWER)
        yield things_of(
            owner=person("oli"),
            member=person("mel"),
            admin=person("ada", role=User.Role.ADMIN),
        )
        transaction.set_rollback(True)


def things_of(owner: User, member: User, admin: User) -> dict[str, str]:
    waiting, run = launched(owner).runs.order_by("-number")[:2]
    run = claimed(run)
    services.record_points(run_id=run.pk, attempt=run.attempt, points=points(1, 5))
    issue_token(user=owner, name="notebook", scopes=["read"], days=1, by=owner)
    link, token = share(owner=owner, runs=[run], days=1)
    _, figure_token = share(owner=owner, runs=[run], days=1, figure="meta_loss")
    both = [run, waiting]
    _, comparison_token = share(owner=owner, runs=both, days=1)
    _, chart_token = share(owner=owner, runs=both, days=1, figure="pareto")
    view = SavedView.objects.create(owner=owner, name="mine", address="status=running")
    draft = SavedDraft.objects.create(
        key="abcdef0123456789",
        owner=owner,
        content='{"document": {}, "yaml": ""}',
        edit=1,
        saved_at=timezone.now(),
    )
    worker = Worker.objects.create(
        name="cpu@here", queues="cpu", device="CPU", heartbeat_at=timezone.now()
    )
    invitation = Invitation.objects.issue(invited_by=admin, role="member", note="x")
    return {
        "run": str(run.pk),
        "waiting": str(waiting.pk),
        "experiment": str(run.experiment_id),
        "api_token": str(owner.api_tokens.get().pk),
        "share_pk": str(link.pk),
        "share_token": token,
        "figure_token": figure_token,
        "comparison_token": comparison_token,
        "chart_token": chart_token,
        "view": str(view.pk),
        "draft": draft.key,
        "worker": str(worker.pk),
        "sign_in": SignInToken.objects.issue(owner),
        "invitation": invitation,
        "invitation_pk": str(Invitation.objects.get().pk),
        "member": str(member.pk),
    }
