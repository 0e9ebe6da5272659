"""Who may go on to follow what, asked for many websockets together."""

from __future__ import annotations

import pytest
from django.contrib.auth import HASH_SESSION_KEY

from tests.webapp.factories import launched, person, signed_in
from webapp.accounts.models import User
from webapp.accounts.services import sign_out_everywhere
from webapp.live.still_allowed import Follower, seen_by

pytestmark = pytest.mark.django_db
NOWHERE = 10**9


def follower(user: User, *run_ids: int) -> Follower:
    """A websocket that was let in just now."""
    client = signed_in(user)
    session = client.session
    known = session[HASH_SESSION_KEY]
    return Follower(session.session_key, known, user.pk, frozenset(run_ids))


def test_each_is_told_of_its_own_runs_and_who_is_out_of_none() -> None:
    ada, bob, cyd, eve = map(person, ("ada", "bob", "cyd", "eve"))
    first, second = launched(ada).runs.order_by("number").values_list("pk", flat=True)[:2]
    both, one, none = follower(ada, first, second), follower(bob, second, NOWHERE), follower(bob)
    gone, out = follower(cyd, first), follower(eve, first)
    User.objects.filter(pk=cyd.pk).update(is_active=False)
    sign_out_everywhere(user=eve)
    forged = Follower("nothing", both.session_hash, ada.pk, frozenset({first}))
    assert seen_by([both, one, none, gone, out, forged]) == {
        both: {first, second}, one: {second}, none: frozenset(),
        gone: None, out: None, forged: None,
    }  # fmt: skip


def test_it_takes_three_queries_however_many_follow(django_assert_num_queries) -> None:
    run = launched(person("ada")).runs.first()
    everybody = [follower(person(f"p{number}"), run.pk) for number in range(20)]
    with django_assert_num_queries(3):
        assert set(seen_by(everybody).values()) == {frozenset({run.pk})}
