"""How much a person may use. Nobody is refused silently: every refusal names the quota, what is
used and what is allowed.

- `runs_at_once`: further ones wait until one of theirs ends;
- `queued_runs`: a launch that would pass it is refused;
- `cpu_seconds`, `gpu_seconds` a day (UTC): past it a person's runs go behind all others' until
  midnight, and still begin where nobody else waits: an idle worker would help nobody.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from engine.spec import FieldError, SpecError
from webapp.accounts.models import User
from webapp.audit.services import record
from webapp.runs.models import Run, Status
from webapp.scheduling.models import Quota, Usage

BOUNDS = ("runs_at_once", "queued_runs", "cpu_seconds", "gpu_seconds")
WORDS = {
    "runs_at_once": "runs at once",
    "queued_runs": "queued runs",
    "cpu_seconds": "CPU seconds a day",
    "gpu_seconds": "GPU seconds a day",
}


@dataclass(frozen=True)
class Standing:
    """One quota of a person: what they use of it now, and what they may."""

    bound: str
    used: float
    allowed: int | None
    """Nothing where there is no bound."""

    @property
    def words(self) -> str:
        return WORDS[self.bound]

    @property
    def is_used_up(self) -> bool:
        return self.allowed is not None and self.used >= self.allowed


def allowed_to(person: User) -> dict[str, int | None]:
    """Each bound of `person`, or else the lab's; one query."""
    return _allowed_to_each([person])[person.pk]


def standings_of(person: User) -> list[Standing]:
    """What `person` uses of every quota; three queries."""
    return standings_of_each([person])[person.pk]


def standings_of_each(people: Collection[User]) -> dict[int, list[Standing]]:
    """What each of `people`, by its key, uses of every quota; three queries, however many."""
    now = timezone.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    used: dict[int, dict[str, float]] = {person.pk: dict.fromkeys(BOUNDS, 0) for person in people}
    runs = Run.objects.filter(owner__in=used, status__in=(Status.QUEUED, Status.RUNNING))
    for owner, status, queue, claimed_at in runs.values_list(
        "owner", "status", "queue", "claimed_at"
    ):
        used[owner]["runs_at_once" if status == Status.RUNNING else "queued_runs"] += 1
        if status == Status.RUNNING and claimed_at:
            used[owner][f"{queue}_seconds"] += (now - max(claimed_at, midnight)).total_seconds()
    kept = Usage.objects.filter(owner__in=used, day=now.date())
    for owner, queue, seconds in kept.values_list("owner", "queue", "seconds"):
        used[owner][f"{queue}_seconds"] += seconds
    allowed = _allowed_to_each(people)
    return {
        pk: [Standing(bound, used[pk][bound], allowed[pk][bound]) for bound in BOUNDS]
        for pk in used
    }


def _allowed_to_each(people: Collection[User]) -> dict[int, dict[str, int | None]]:
    rows = Quota.objects.filter(person__in=people) | Quota.objects.filter(person=None)
    by_person = {row.person_id: row for row in rows}
    lab = by_person.get(None)
    return {
        person.pk: {bound: _bound(bound, by_person.get(person.pk), lab) for bound in BOUNDS}
        for person in people
    }


def _bound(name: str, own: Quota | None, lab: Quota | None) -> int | None:
    found = [getattr(quota, name) for quota in (own, lab) if quota]
    return next((value for value in found if value is not None), None)


def refuse_launch(person: User, runs: int) -> None:
    """Raise `SpecError` where `runs` more would pass what `person` may have queued.

    Call it in the transaction that queues them: the next launch of `person` waits for its end, so
    that two at one moment cannot pass the quota together.
    """
    allowed = allowed_to(person)["queued_runs"]
    if allowed is None:
        return
    # Rows that only refer to the person are written all the same.
    User.objects.select_for_update(no_key=True).get(pk=person.pk)
    queued = Run.objects.filter(owner=person, status=Status.QUEUED).count()
    if queued + runs > allowed:
        reason = (
            f"your quota of queued runs: {queued:,} wait already, and this launch has {runs:,}; "
            f"allowed: {allowed:,} at a time"
        )
        raise SpecError([FieldError("quota.queued_runs", runs, reason)])


def warnings_of(person: User) -> list[str]:
    """What a launch says of the quotas that are used up, in sentences."""
    found = []
    for standing in standings_of(person):
        used_up = f"{standing.used:,.0f} of {standing.allowed or 0:,} {standing.words}"
        if not standing.is_used_up or standing.bound == "queued_runs":
            continue
        if standing.bound == "runs_at_once":
            found.append(f"You have {used_up}: further runs wait until one of them ends.")
        else:
            found.append(
                f"You have used {used_up}: until midnight UTC your runs there go behind all others."
            )
    return found


def set_quota(*, admin: User, person: User | None, bounds: dict[str, int | None]) -> Quota:
    """Give `person`, or the lab where there is none, these bounds; None lifts one."""
    if not (admin.is_active and admin.is_lab_admin):
        raise PermissionDenied("Only an admin of the lab may change quotas.")
    with transaction.atomic():
        quota, _ = Quota.objects.select_for_update().update_or_create(
            person=person, defaults={bound: bounds[bound] for bound in BOUNDS}
        )
        target = person.get_username() if person else "the lab"
        record("set a quota", actor=admin, target=target, **bounds)
    return quota
