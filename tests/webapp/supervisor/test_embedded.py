"""The embedded servers by themselves: first start, odd leftovers, other programs in the way."""

import os
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from tests.lab_process import remove_home
from webapp.supervisor import binaries
from webapp.supervisor.embedded import EmbeddedServices
from webapp.supervisor.home import AlreadyRunning, Home
from webapp.supervisor.postgres import private_folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    home = Home(tmp_path / "lab")
    home.prepare()
    yield home
    remove_home(home)


def test_data_survive_a_restart_and_passwords_are_asked_for(home: Home):
    services = EmbeddedServices(home)
    first = services.start()
    with psycopg.connect(first["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept (value int)")
        connection.execute("INSERT INTO kept VALUES (7)")
        assert connection.execute("SHOW timezone").fetchone() == ("UTC",)
    redis.Redis.from_url(first["REDIS_URL"]).set("kept", "7")
    remembered = home.recall()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=remembered.postgres_port, user="lab", dbname="lab")
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=remembered.valkey_port).ping()
    services.stop()

    second = EmbeddedServices(home)
    assert second.start() == first
    with psycopg.connect(first["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT value FROM kept").fetchone() == (7,)
    assert redis.Redis.from_url(first["REDIS_URL"]).get("kept") == b"7"
    second.stop()


def test_a_port_that_another_program_took_is_given_up(home: Home):
    remembered = home.recall()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", remembered.postgres_port))
        taken.listen()
        services = EmbeddedServices(home)
        environment = services.start()
        services.stop()
    assert home.recall().postgres_port != remembered.postgres_port
    assert home.recall().valkey_port == remembered.valkey_port
    assert str(home.recall().postgres_port) in environment["DATABASE_URL"]


def test_a_lock_with_the_number_of_some_other_program_is_no_hindrance(home: Home):
    services = EmbeddedServices(home)
    services.start()
    services.stop()
    data = private_folder(home) / "data"
    other = subprocess.Popen(["sleep", "60"], user=data.stat().st_uid if not os.getuid() else None)
    try:
        (data / "postmaster.pid").write_text(f"{other.pid}\n{data}\n")
        services.start()
        services.stop()
    finally:
        other.kill()
        other.wait()


def test_half_a_database_of_an_interrupted_first_start_is_made_anew(home: Home):
    partial = private_folder(home) / "data.partial"
    partial.mkdir(parents=True)
    (partial / "PG_VERSION").write_text("18\n")
    services = EmbeddedServices(home)
    services.start()
    services.stop()
    assert not partial.exists()


def test_one_folder_has_one_lab(home: Home):
    home.lock()
    home.write_address("http://localhost:8000")
    with pytest.raises(AlreadyRunning, match="http://localhost:8000"):
        Home(home.root).lock()


def test_programs_are_copied_with_their_libraries_out_of_a_closed_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    original = binaries.postgres_programs(copies=tmp_path, for_everyone=False)
    monkeypatch.setattr(binaries, "everyone_may_enter", lambda folder: False)
    copy = binaries.postgres_programs(copies=tmp_path / "copies", for_everyone=True)
    assert copy != original
    version = subprocess.run(
        [str(copy / "postgres"), "--version"], capture_output=True, text=True, check=True
    )
    assert "PostgreSQL" in version.stdout
    assert stat.S_IMODE((copy / "postgres").stat().st_mode) == 0o755
    again = binaries.postgres_programs(copies=tmp_path / "copies", for_everyone=True)
    assert again == copy
