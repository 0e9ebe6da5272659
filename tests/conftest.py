"""Real Postgres and Valkey for the tests, a whole running lab, and a browser.

The servers come from the code that `make run` uses, in a temporary folder; DATABASE_URL and
REDIS_URL replace them.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser import CHROMIUM_FLAGS, chromium
from tests.lab_process import LabProcess, remove_home
from webapp.supervisor.embedded import EmbeddedServices
from webapp.supervisor.home import Home

# A machine that is busy elsewhere is slow, not wrong.
hypothesis.settings.register_profile("lab", deadline=None)
hypothesis.settings.load_profile("lab")
expect.set_options(timeout=20_000)

# One thread each, where several processes of tests share the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

WITHOUT_WEB = Path(__file__).parent / "engine"


def pytest_configure(config: pytest.Config) -> None:
    """Starts the servers before Django reads where they are.

    Side by side, every process of tests has servers of its own: Celery's queues cannot be shared.
    Tests of the engine alone need no web, and so start nothing.
    """
    if hands_out_tests(config):
        return
    paths = [Path(argument.split("::")[0]).resolve() for argument in config.args]
    if all(path.is_relative_to(WITHOUT_WEB) for path in paths):
        return
    home = Home(Path(tempfile.mkdtemp(prefix="lab-tests-")))
    home.prepare()
    services = EmbeddedServices(home)
    config.add_cleanup(lambda: remove_home(home))
    config.add_cleanup(services.stop)
    is_its_own = not os.environ.get("DATABASE_URL")
    os.environ.update(services.start())
    if is_its_own:
        _trust_the_machine(os.environ["DATABASE_URL"])
    os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings.test"
    import django

    django.setup()


def _trust_the_machine(database: str) -> None:
    """Postgres waits for no disk: nothing in it outlives the tests, whose kills end processes and
    not the machine."""
    import psycopg

    with psycopg.connect(database, autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")


def hands_out_tests(config: pytest.Config) -> bool:
    """Whether this process runs no test itself, and only tells others (of xdist) which to run."""
    return bool(config.getoption("numprocesses", 0)) and not hasattr(config, "workerinput")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with tests in Chromium come last: while it is open, this thread belongs to its event
    loop."""
    with_browser = {
        item.path for item in items
        if item.get_closest_marker("e2e") and "browser" in item.fixturenames
    }  # fmt: skip
    items.sort(key=lambda item: item.path in with_browser)


@pytest.fixture(scope="session")
def lab() -> Iterator[LabProcess]:
    """The whole lab as `make run` starts it, on a folder and a port of its own."""
    home = Home(Path(tempfile.mkdtemp(prefix="lab-e2e-")))
    process = LabProcess(home.root)
    try:
        process.start()
        yield process
    finally:
        process.stop()
        remove_home(home)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, lab: LabProcess) -> Iterator[Page]:
    """A page of a fresh visitor (not signed in yet) whose relative addresses are the lab's."""
    context = browser.new_context(
        base_url=lab.url, viewport={"width": 1366, "height": 768}, accept_downloads=True
    )
    yield context.new_page()
    context.close()
