"""The embedded Postgres: created once, on loopback, with a password, kept across restarts."""

import hashlib
import os
import shutil
import signal
import time
from pathlib import Path

import psycopg
from psycopg import sql

from webapp.supervisor import binaries, process_table
from webapp.supervisor.child import Child, last_lines
from webapp.supervisor.children import Children
from webapp.supervisor.home import DATABASE_NAME, DATABASE_USER, Home, Remembered
from webapp.supervisor.unprivileged import account_for_postgres, everyone_may_enter

START_SECONDS = 60
SYSTEM_FOLDER = Path("/var/lib/metaopt-lab")


class ServiceFailed(Exception):
    """A service did not start; the message has the last lines of its log."""


def private_folder(home: Home) -> Path:
    """Where Postgres keeps its data: in the lab's folder, wherever its account can go there.

    Root's own folders are closed to every other account, so a lab inside one keeps its database
    in a system folder that is named after the lab.
    """
    if os.geteuid() != 0 or everyone_may_enter(home.root):
        return home.root / "postgres"
    lab = hashlib.sha256(str(home.root).encode()).hexdigest()[:12]
    return SYSTEM_FOLDER / lab


class Postgres:
    """Starts one server. `start` returns when it answers."""

    def __init__(self, home: Home, remembered: Remembered, children: Children) -> None:
        self.home = home
        self.children = children
        self.remembered = remembered
        self.folder = private_folder(home)
        self.data = self.folder / "data"
        self.account = account_for_postgres(self.data)
        self.programs = binaries.postgres_programs(
            copies=self.folder.parent, for_everyone=self.account is not None
        )
        # The messages of the server are read below, so they must not be translated.
        self.environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}

    def start(self) -> None:
        self._create_folder()
        if not self.data.exists():
            self._create_data()
        self._remove_stale_lock()
        deadline = time.monotonic() + START_SECONDS
        while True:
            child = self._launch()
            if self._answers(child, deadline):
                self._create_database()
                return
            child.wait(seconds=0)
            # What a killed server leaves behind goes away in a moment; anything else is an error.
            if "pre-existing shared memory" not in last_lines(child.log) or self._late(deadline):
                raise ServiceFailed(child.failure())
            self.children.forget(child)
            time.sleep(0.3)

    @staticmethod
    def _late(deadline: float) -> bool:
        return time.monotonic() > deadline

    def _create_folder(self) -> None:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(exist_ok=True)
        if self.account:
            self.account.own(self.folder)
        self.folder.chmod(0o700)

    def _create_data(self) -> None:
        """Creates the cluster beside its place and moves it there, so that half of one is never
        taken for a whole one."""
        partial = self.folder / "data.partial"
        shutil.rmtree(partial, ignore_errors=True)
        password = self.folder / "password"
        password.touch(mode=0o600)
        password.write_text(self.remembered.postgres_password)
        if self.account:
            self.account.own(password)
        try:
            initdb = self._start(
                "initdb",
                *("-D", str(partial), "-U", DATABASE_USER, "--auth=scram-sha-256"),
                *(f"--pwfile={password}", "--encoding=UTF8"),
                *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            )
            if initdb.process.wait():
                raise ServiceFailed(initdb.failure())
            self.children.forget(initdb)
        finally:
            password.unlink()
        partial.rename(self.data)

    def _start(self, program: str, *arguments: str) -> Child:
        return self.children.start(
            program,
            [str(self.programs / program), *arguments],
            environment=self.environment,
            folder=self.folder,
            # To Postgres this is a "fast shutdown", which does not wait for clients to leave.
            stop_signal=signal.SIGINT,
            account=self.account,
        )

    def _remove_stale_lock(self) -> None:
        """A number in `postmaster.pid` may by now belong to some other program."""
        lock = self.data / "postmaster.pid"
        if lock.exists():
            pid = int(lock.read_text().split("\n", 1)[0] or 0)
            if "postgres" not in process_table.command(pid):
                lock.unlink()

    def _launch(self) -> Child:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.remembered.postgres_port),
            "unix_socket_directories": "",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "max_connections": "200",
        }
        arguments = ["-D", str(self.data)]
        for name, value in options.items():
            arguments += ["-c", f"{name}={value}"]
        return self._start("postgres", *arguments)

    def _connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.remembered.postgres_port,
            user=DATABASE_USER,
            password=self.remembered.postgres_password,
            dbname=database,
            connect_timeout=5,
            autocommit=True,
        )

    def _answers(self, child: Child, deadline: float) -> bool:
        while child.alive and not self._late(deadline):
            try:
                self._connect("postgres").close()
            except psycopg.OperationalError as error:
                if "password authentication failed" in str(error):
                    raise ServiceFailed(
                        f"The password in {self.home.root}/remembered.json is not the one "
                        f"of the database in {self.data}."
                    ) from None
                time.sleep(0.05)
            else:
                return True
        return False

    def _create_database(self) -> None:
        with self._connect("postgres") as connection:
            known = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME]
            ).fetchone()
            if not known:
                connection.execute(
                    sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE_NAME))
                )
