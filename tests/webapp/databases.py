"""Further databases on the server of the tests, and what stands in one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql

from webapp.backups import database


def url_of(name: str) -> str:
    address, _, options = settings.DATABASE_URL.partition("?")
    return f"{address.rpartition('/')[0]}/{name}?{options}".rstrip("?")


@contextmanager
def database_without_tables(name: str) -> Iterator[str]:
    """Its address."""
    known = sql.Identifier(name)
    with psycopg.connect(url_of("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(known))
        server.execute(sql.SQL("CREATE DATABASE {}").format(known))
    yield url_of(name)
    with psycopg.connect(url_of("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(known))


@contextmanager
def working_in(name: str) -> Iterator[None]:
    """This process uses the database `name`."""
    own = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = own


def selected(query: str) -> list[tuple]:
    """What `query` finds in the database that this process uses."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def rows(url: str) -> dict[str, list[tuple]]:
    """Every row of every table, in order."""
    with psycopg.connect(url) as reader:
        query = sql.SQL("SELECT t::text FROM {} t ORDER BY t::text")
        return {
            name: reader.execute(query.format(sql.Identifier(name))).fetchall()
            for name in database.table_counts(url)
        }
