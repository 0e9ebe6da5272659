"""Postgres' own dump and restore, by the programs of the installed package.

They read servers of their own version (18) and of older ones.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from webapp.backups.errors import BackupError
from webapp.supervisor.binaries import postgres_programs


def dump(url: str, file: Path) -> None:
    """Everything in the database at one moment, in Postgres' custom format."""
    _run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={file}")


def restore(url: str, file: Path) -> None:
    """Put the dump in `file` in the place of everything in the database: all of it, or nothing."""
    _run(
        "pg_restore",
        url,
        "--clean",
        "--if-exists",
        "--no-owner",
        "--no-privileges",
        "--single-transaction",
        "--exit-on-error",
        str(file),
    )


def table_counts(url: str) -> dict[str, int]:
    """Rows of each table, by its name; empty for a database without tables."""
    with psycopg.connect(url) as connection:
        names = [
            name
            for (name,) in connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
            )
        ]
        counts = {}
        for name in names:
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))
            counts[name] = connection.execute(query).fetchone()[0]
    return counts


def other_sessions(url: str) -> int:
    """Connections of other programs to this database."""
    query = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
          AND backend_type = 'client backend'
    """
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchone()[0]


def _run(program: str, url: str, *arguments: str) -> None:
    path = postgres_programs(copies=Path(), for_everyone=False) / program
    without_password, password = _apart(url)
    done = subprocess.run(  # noqa: S603
        [path, f"--dbname={without_password}", *arguments],
        # Everybody on a machine may read a command line.
        env={**os.environ, "PGPASSWORD": password} if password else None,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        raise BackupError(f"{program}: {said[0]}")


def _apart(url: str) -> tuple[str, str]:
    """The address without its password, and the password."""
    parts = urlsplit(url)
    if parts.password is None:
        return url, ""
    person, _, host = parts.netloc.rpartition("@")
    return (
        urlunsplit(parts._replace(netloc=f"{person.split(':')[0]}@{host}")),
        unquote(parts.password),
    )
