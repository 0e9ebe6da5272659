"""The whole lab as a person starts and stops it, with real processes."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.cookiejar import CookieJar
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.lab_process import PROJECT_ROOT, LabProcess, remove_home
from webapp.supervisor.home import Home
from webapp.supervisor.postgres import private_folder

pytestmark = pytest.mark.timeout(300)
PROGRAMS = {"postgres", "valkey", "web", "worker", "worker-forecast", "beat"}


@pytest.fixture
def new_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], LabProcess]]:
    """Makes labs that share one new folder; stops them and removes it."""
    home = Home(tmp_path_factory.mktemp("home"))
    made: list[LabProcess] = []

    def make() -> LabProcess:
        made.append(LabProcess(home.root))
        return made[-1]

    yield make
    for lab in made:
        lab.stop(with_signal=signal.SIGTERM)
    remove_home(home)


class UsedLab:
    """A lab in a folder that has been used: its first start is the longest, and made once.

    A test takes it `running` or `stopped`, and may leave it as it likes. They stand in an
    order in which few must start it.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self._lab: LabProcess | None = None

    def running(self) -> LabProcess:
        if self._lab is None or self._lab.process is None or self._lab.process.poll() is not None:
            self._lab = LabProcess(self.home)
            self._lab.start()
        return self._lab

    def stopped(self) -> LabProcess:
        """One that is not launched yet."""
        if self._lab is None:
            self.running()
        self.stop()
        self._lab = LabProcess(self.home)
        return self._lab

    def stop(self) -> None:
        if self._lab is not None:
            self._lab.stop(with_signal=signal.SIGTERM)
        assert nothing_is_left(self.home)


@pytest.fixture(scope="module")
def used_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UsedLab]:
    home = Home(tmp_path_factory.mktemp("used"))
    lab = UsedLab(home.root)
    yield lab
    lab.stop()
    remove_home(home)


def processes_of(home: Path) -> list[psutil.Process]:
    """Every process that was started for the lab in `home`, whoever its parent is by now."""
    folders = (str(home), str(private_folder(Home(home))))
    found = []
    for process in psutil.process_iter():
        try:
            traces = [process.cwd(), *process.cmdline(), process.environ().get("LAB_HOME", "")]
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        if any(folder in trace for folder in folders for trace in traces):
            found.append(process)
    return found


def nothing_is_left(home: Path, *, seconds: float = 0) -> bool:
    deadline = time.monotonic() + seconds
    while processes_of(home) and time.monotonic() < deadline:
        time.sleep(0.1)
    return processes_of(home) == []


def database(home: Path) -> psycopg.Connection:
    return psycopg.connect(Home(home).environment()["DATABASE_URL"], autocommit=True)


def wait_for(condition: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def pids(home: Path) -> dict[str, int]:
    """The main process of each program of a running lab."""
    notes = [
        note
        for record in home.glob("processes-*.json")
        for note in json.loads(record.read_text() or "[]")
    ]
    return {note["name"]: note["pid"] for note in notes}


def test_a_lab_starts_signs_in_stops_and_keeps_its_data(used_lab):
    lab = used_lab.running()
    printed = lab.printed.read_text()
    for name in (*PROGRAMS, "database"):
        assert f"  {name} " in printed

    visitor = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    health = json.load(visitor.open(f"{lab.url}/healthz"))
    assert health["status"] == "ok"
    assert set(pids(lab.home)) == PROGRAMS

    assert visitor.open(lab.sign_in_link).url == f"{lab.url}/"
    assert b"Sign out" in visitor.open(f"{lab.url}/account/").read()
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.build_opener().open(lab.sign_in_link)

    lab.manage("create_member", "ada")
    assert lab.stop() == 0
    assert nothing_is_left(lab.home)
    assert "its data is kept" in lab.printed.read_text()

    again = used_lab.running()
    with database(again.home) as connection:
        names = connection.execute("SELECT username FROM accounts_user ORDER BY id").fetchall()
    assert names[-1] == ("ada",)
    assert len(names) == 2, "the first admin is created once"


def test_what_the_lab_keeps_is_private(used_lab):
    lab = used_lab.running()
    remembered = lab.home / "remembered.json"
    assert remembered.stat().st_mode & 0o077 == 0
    assert lab.home.stat().st_mode & 0o066 == 0
    assert (lab.home / "logs").stat().st_mode & 0o077 == 0
    assert (lab.home / "valkey" / "valkey.conf").stat().st_mode & 0o077 == 0
    secrets = [
        value for key, value in json.loads(remembered.read_text()).items() if "port" not in key
    ]
    for process in processes_of(lab.home):
        line = " ".join(process.cmdline())
        assert not any(secret in line for secret in secrets), line
    token = lab.sign_in_link.rstrip("/").rpartition("/")[2]
    for log in (lab.home / "logs").iterdir():
        assert token not in log.read_text()
    for name in ("postgres", "valkey", "web"):
        for connection in psutil.Process(pids(lab.home)[name]).net_connections():
            if connection.status == psutil.CONN_LISTEN:
                assert connection.laddr.ip == "127.0.0.1"


def test_a_second_start_in_the_same_folder_says_so(used_lab):
    lab = used_lab.running()
    second = subprocess.run(
        ["make", "run"],
        cwd=PROJECT_ROOT,
        env={**os.environ, "LAB_HOME": str(lab.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode != 0
    assert f"already running at {lab.url}" in second.stdout
    assert lab.process.poll() is None


def test_a_worker_that_dies_is_named_and_started_again(used_lab):
    lab = used_lab.running()
    first = pids(lab.home)["worker"]
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: pids(lab.home).get("worker", first) != first, seconds=15)
    printed = lab.printed.read_text()
    assert "worker was ended by signal 9" in printed
    assert "Starting worker again" in printed


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("after", [0.2, 0.6, 1.5, 3.0])
def test_ctrl_c_in_the_middle_of_a_start_stops_everything(new_lab, after: float, times: int):
    lab = new_lab()
    process = lab.launch()
    time.sleep(after)
    for _press in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    process.wait(timeout=30)
    assert nothing_is_left(lab.home)
    assert "Traceback" not in lab.printed.read_text()


def test_after_kill_9_of_everything_at_once_the_next_start_works(used_lab):
    lab = used_lab.running()
    for process in processes_of(lab.home):
        # The children of one that was killed before may be gone by themselves.
        with suppress(psutil.NoSuchProcess):
            process.kill()
    lab.process.wait(timeout=10)
    assert used_lab.running() is not lab


def test_kill_9_of_the_supervisor_leaves_nothing_and_the_next_start_works(used_lab):
    lab = used_lab.running()
    lab.process.kill()
    lab.process.wait(timeout=10)
    again = used_lab.running()
    assert set(pids(again.home)) == PROGRAMS


@pytest.mark.parametrize("name", ["postgres", "web"])
def test_a_program_without_which_there_is_no_lab_stops_it(used_lab, name: str):
    lab = used_lab.running()
    os.kill(pids(lab.home)[name], signal.SIGKILL)
    assert lab.process.wait(timeout=40) == 1
    printed = lab.printed.read_text()
    assert f"The lab stopped: {name} was ended by signal 9" in printed
    assert f"{name}.log" in printed
    assert nothing_is_left(lab.home)


def test_what_fails_to_start_is_named_with_the_end_of_its_log(used_lab):
    broken = used_lab.stopped()
    configuration = private_folder(Home(broken.home)) / "data" / "postgresql.conf"
    right = configuration.read_text()
    configuration.write_text(f"{right}max_connections = plenty\n")
    process = broken.launch()
    assert process.wait(timeout=30) == 1
    configuration.write_text(right)
    printed = broken.printed.read_text()
    assert "The lab stopped: postgres ended with status 1" in printed
    assert "max_connections" in printed
    assert nothing_is_left(broken.home)


def test_a_closed_terminal_stops_everything(used_lab):
    """The terminal goes away with its reader: what is printed after that goes nowhere."""
    lab = used_lab.stopped()
    ours, theirs = os.openpty()
    lab.process = subprocess.Popen(
        # As in a terminal, also where these tests were started by nohup.
        [*("env", "--default-signal=HUP", "setsid", "--ctty", "make", "run")],
        cwd=PROJECT_ROOT,
        env={
            **{k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")},
            "LAB_HOME": str(lab.home),
            "PORT": str(lab.port),
        },
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    printed = b""
    while b"Ctrl+C stops everything" not in printed:
        printed += os.read(ours, 10_000)
    assert len(processes_of(lab.home)) > len(PROGRAMS)
    os.close(ours)
    assert nothing_is_left(lab.home, seconds=30), processes_of(lab.home)


@pytest.mark.parametrize(("port", "sentence"), [("80a", "a number from 1"), ("70000", "65535")])
def test_a_port_that_cannot_be_is_refused(new_lab, port: str, sentence: str):
    lab = new_lab()
    assert lab.launch(PORT=port).wait(timeout=20) == 1
    assert sentence in lab.printed.read_text()
    assert "Traceback" not in lab.printed.read_text()


def test_a_port_that_is_taken_is_refused_where_it_was_asked_for(new_lab):
    lab = new_lab()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", lab.port))
        taken.listen()
        assert lab.launch().wait(timeout=20) == 1
    assert f"PORT {lab.port} is taken by another program" in lab.printed.read_text()


def test_servers_of_ones_own_replace_the_embedded_ones(new_lab):
    """The servers of these tests stand for them."""
    lab = new_lab()
    own = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")}
    with psycopg.connect(own["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS own")
        connection.execute("CREATE DATABASE own")
    own["DATABASE_URL"] = own["DATABASE_URL"].rpartition("/")[0] + "/own"
    own["REDIS_URL"] = own["REDIS_URL"].rpartition("/")[0] + "/5"
    lab.launch(**own)
    wait_for(lambda: "Sign in" in lab.printed.read_text(), seconds=60)
    assert set(pids(lab.home)) == PROGRAMS - {"postgres", "valkey"}
    with psycopg.connect(own["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT count(*) FROM accounts_user").fetchone() == (1,)
    assert lab.stop(with_signal=signal.SIGTERM) == 0
    assert nothing_is_left(lab.home)
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("DROP DATABASE own WITH (FORCE)")
