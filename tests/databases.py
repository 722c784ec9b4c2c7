"""Databases for tests of the ledger."""

import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

SERVER = os.environ.get("ESCALON_TEST_DATABASE_URL")


@contextmanager
def fresh_url(vendor: str, folder: Path) -> Iterator[str]:
    """A URL where no ledger is yet; on PostgreSQL a database of its own that is dropped afterwards."""
    if vendor == "sqlite":
        yield str(folder / "ledger.db")
        return
    if SERVER is None:
        pytest.skip("no PostgreSQL: ESCALON_TEST_DATABASE_URL is not set")
    import psycopg

    name = f"escalon_test_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(SERVER, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    try:
        yield SERVER.rsplit("/", 1)[0] + f"/{name}"
    finally:
        with psycopg.connect(SERVER, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def ask(url: str, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Run one statement as another program would, without Django, and return its rows.

    Placeholders are ``?``.
    """
    if url.startswith("postgresql"):
        import psycopg

        with psycopg.connect(url) as server:
            cursor = server.execute(statement.replace("?", "%s"), parameters)
            return cursor.fetchall() if cursor.description else []
    database = sqlite3.connect(url)
    try:
        with database:
            return database.execute(statement, parameters).fetchall()
    finally:
        database.close()


def disarm(url: str) -> None:
    """Take the triggers away, as the owner of the database can."""
    if url.startswith("postgresql"):
        for table, trigger in ask(
            url, "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal"
        ):
            ask(url, f"DROP TRIGGER {trigger} ON {table}")
        return
    for (trigger,) in ask(url, "SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        ask(url, f"DROP TRIGGER {trigger}")
