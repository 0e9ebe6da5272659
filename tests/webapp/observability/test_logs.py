"""Each line of the log says which request or run it is of."""

import io
import json
import logging
import logging.config
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from webapp.observability import context
from webapp.settings import environment


@pytest.fixture(params=["plain", "json"])
def console(request):
    """The lab's own formatter and filter on a stream; gives the stream."""
    handler = logging.StreamHandler(io.StringIO())
    config = logging.config.DictConfigurator(settings.LOGGING)
    handler.setFormatter(
        config.configure_formatter(dict(settings.LOGGING["formatters"][request.param]))
    )
    handler.addFilter(context.Belonging())
    logger = logging.getLogger("of.the.test")
    logger.addHandler(handler)
    yield request.param, handler.stream
    logger.removeHandler(handler)


def test_a_line_names_its_request_and_its_run(console):
    kind, stream = console
    log = logging.getLogger("of.the.test")
    with context.request("abc123"), context.run(412):
        log.warning("inside, %d %s", 3, "steps")
    log.warning("outside")
    inside, outside = stream.getvalue().splitlines()
    if kind == "json":
        inside, outside = json.loads(inside), json.loads(outside)
        assert inside["message"] == "inside, 3 steps"
        assert (inside["level"], inside["logger"]) == ("WARNING", "of.the.test")
        assert (inside["request_id"], inside["run_id"]) == ("abc123", 412)
        assert (outside["request_id"], outside["run_id"]) == ("", None)
    else:
        assert inside.endswith("WARNING of.the.test: [request abc123, run 412] inside, 3 steps")
        assert outside.endswith("WARNING of.the.test: outside")


@pytest.mark.django_db
class TestRequestIds:
    def test_an_answer_carries_the_id_that_a_proxy_gave(self, client: Client):
        answer = client.get("/sign-in/", headers={"X-Request-ID": "from-the-proxy.7"})
        assert answer.headers["X-Request-ID"] == "from-the-proxy.7"

    @pytest.mark.parametrize("forged", ["a b", "x" * 65, "line\nbreak", "é", ""])
    def test_one_that_could_forge_a_line_is_replaced(self, client: Client, forged: str):
        answer = client.get("/sign-in/", headers={"X-Request-ID": forged})
        given = answer.headers["X-Request-ID"]
        assert given != forged
        assert len(given) == 32

    def test_each_request_has_its_own(self, client: Client):
        ids = {client.get("/sign-in/").headers["X-Request-ID"] for _ in range(3)}
        assert len(ids) == 3

    def test_an_error_carries_it_too(self, client: Client):
        assert client.get("/nowhere/").headers["X-Request-ID"]


def test_a_format_that_does_not_exist_is_refused(monkeypatch):
    monkeypatch.setenv("LOG_FORMAT", "xml")
    with pytest.raises(ImproperlyConfigured, match="LOG_FORMAT is 'xml'; allowed are: plain, json"):
        environment.one_of("LOG_FORMAT", ("plain", "json"))


def test_a_celery_program_logs_as_the_web_does():
    script = (
        "import logging, webapp.celery as lab; lab.app.log.setup(); "
        "from webapp.observability import context\n"
        "with context.run(7): logging.getLogger('some.task').warning('hello')"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "LOG_FORMAT": "json"},
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = [line for line in shown.stderr.splitlines() if "hello" in line]
    assert json.loads(line)["run_id"] == 7
