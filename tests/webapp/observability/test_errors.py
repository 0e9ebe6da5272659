"""Errors are kept in Postgres, each kind once, and shown to admins."""

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from tests.webapp.factories import person
from webapp.accounts.models import User
from webapp.observability import context, tasks
from webapp.observability.error_handler import RecentErrorHandler
from webapp.observability.models import RecentError
from webapp.supervisor.home import free_port

LOGGER = "of.the.errors"


@pytest.fixture
def log(settings) -> Iterator[logging.Logger]:
    """A logger whose errors go to the database of the tests."""
    database = transaction.get_connection().settings_dict["NAME"]
    address, _, options = settings.DATABASE_URL.partition("?")
    settings.DATABASE_URL = f"{address.rpartition('/')[0]}/{database}?{options}".rstrip("?")
    handler = RecentErrorHandler()
    handler.addFilter(context.Belonging())
    logger = logging.getLogger(LOGGER)
    logger.addHandler(handler)
    yield logger
    logger.removeHandler(handler)


def fail(number: int) -> None:
    raise ValueError(f"number {number} is not allowed")


def log_failure(log: logging.Logger, number: int) -> None:
    try:
        fail(number)
    except ValueError:
        log.exception("Run %s failed.", number)


@pytest.mark.django_db(transaction=True)
class TestKeeping:
    def test_one_kind_is_one_row_with_how_often_and_the_newest(self, log: logging.Logger):
        log_failure(log, 1)
        with context.request("abc"), context.run(412):
            log_failure(log, 2)
        (kept,) = RecentError.objects.all()
        assert kept.times == 2
        assert kept.message == "Run 2 failed."
        assert "ValueError: number 2 is not allowed" in kept.traceback
        assert "in fail" in kept.traceback
        assert (kept.request_id, kept.run_id) == ("abc", 412)
        assert kept.first_seen < kept.last_seen

    def test_other_words_are_another_kind(self, log: logging.Logger):
        log.error("The disk is full: %d bytes left.", 5)
        log.error("The disk is full: %d bytes left.", 7)
        log.error("The broker is gone.")
        assert sorted(RecentError.objects.values_list("times", flat=True)) == [1, 2]

    def test_it_outlives_the_transaction_that_failed(self, log: logging.Logger):
        def undone() -> None:
            with transaction.atomic():
                log.error("before the rollback")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            undone()
        assert RecentError.objects.count() == 1

    def test_warnings_are_not_errors(self, log: logging.Logger):
        log.warning("only a warning")
        assert not RecentError.objects.exists()

    def test_what_postgres_cannot_keep_is_replaced(self, log: logging.Logger):
        words = "a zero \0 and half a pair \ud800 " + "long " * 10_000
        # Not by the logger: no report of the tests could carry that.
        log.handlers[-1].handle(logging.LogRecord(LOGGER, logging.ERROR, "", 0, words, (), None))
        (kept,) = RecentError.objects.all()
        assert kept.message.startswith("a zero \N{REPLACEMENT CHARACTER} and half a pair ?")
        assert len(kept.message) == 2_000

    def test_without_a_database_the_log_goes_on(self, log: logging.Logger, settings):
        settings.DATABASE_URL = f"postgres://nobody@127.0.0.1:{free_port()}/none"
        log.error("nobody can keep this")
        log.error("nor this")
        assert not RecentError.objects.exists()


@pytest.mark.django_db
class TestForgetting:
    def make(self, name: str, days: float) -> RecentError:
        seen = timezone.now() - timedelta(days=days)
        return RecentError.objects.create(
            fingerprint=name, logger=name, message=name, first_seen=seen, last_seen=seen
        )

    def test_old_ones_go(self):
        self.make("old", 31)
        kept = self.make("young", 29)
        tasks.clear_old_errors()
        assert list(RecentError.objects.all()) == [kept]

    def test_at_most_so_many_stay(self, monkeypatch):
        monkeypatch.setattr(tasks, "MOST_KEPT", 2)
        for days in (1, 2, 3):
            self.make(f"{days} days", days)
        tasks.clear_old_errors()
        assert list(RecentError.objects.values_list("logger", flat=True)) == ["1 days", "2 days"]


@pytest.mark.django_db
class TestPage:
    def test_an_admin_sees_it_and_empties_it(self, client: Client):
        now = timezone.now()
        RecentError.objects.create(
            fingerprint="f", logger="some.where", message="<b>broken</b>", traceback="Traceback",
            times=3, first_seen=now, last_seen=now, run_id=412,
        )  # fmt: skip
        client.force_login(person("ada", role=User.Role.ADMIN))
        shown = client.get("/errors/").content.decode()
        assert "&lt;b&gt;broken&lt;/b&gt;" in shown
        assert "3 times" in shown
        assert "/runs/412/" in shown
        assert client.post("/errors/forget").status_code == 302
        assert "No error" in client.get("/errors/").content.decode()

    @pytest.mark.parametrize(("method", "path"), [("get", "/errors/"), ("post", "/errors/forget")])
    def test_for_a_member_it_is_not_there(self, client: Client, method: str, path: str):
        client.force_login(person("bob"))
        assert getattr(client, method)(path).status_code == 404
