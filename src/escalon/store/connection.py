"""Databases by URL: an SQLite file needs nothing; PostgreSQL serves several writers."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import django
from django.conf import settings
from django.core.management import call_command
from django.db import Error, connections

from escalon.store.accounts.installed import APPS as ACCOUNT_APPS
from escalon.store.accounts.installed import LABELS as ACCOUNT_LABELS
from escalon.store.accounts.installed import SETTINGS as ACCOUNT_SETTINGS

# Freed bytes are overwritten: what a redaction takes out of the ledger must not stay in pages of a snapshot before it.
SQLITE_START = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;"
)
EVENT_TABLE = "ledger_event"
# psycopg's number for a connection that is in no pipeline (libpq: PQ_PIPELINE_OFF).
OUTSIDE = 0


class LedgerUnavailable(ValueError):
    """The database cannot be opened; the message says which and why."""


def configure() -> None:
    """Set Django up once, without a settings module; databases are added by ``connect``."""
    if not settings.configured:
        settings.configure(
            INSTALLED_APPS=["escalon.store", *ACCOUNT_APPS],
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
            USE_TZ=True,
            TIME_ZONE="UTC",
            DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
            **ACCOUNT_SETTINGS,
        )
        django.setup()


def connect(url: str, *, create: bool, ledger: bool = True) -> str:
    """Return the connection alias for ``url``: a file path, ``sqlite:///path`` or ``postgresql://user@host/name``.

    Args:
        url: where the ledger is.
        create: make the file and the tables if they are missing; otherwise their absence is an error.
        ledger: whether a ledger must be there to be read; False where accounts alone are looked for.

    Raises:
        LedgerUnavailable: no such ledger, a database that is none or does not answer, or one not served here.
    """
    configure()
    description = _describe(url)
    alias = "ledger-" + hashlib.sha256(url.encode()).hexdigest()[:12]
    if str(description["ENGINE"]).endswith("sqlite3"):
        path = Path(str(description["NAME"]))
        if not create and not path.is_file():
            raise LedgerUnavailable(f"{path}: there is no ledger at this path")
        if path.is_file() and not _writable(path):
            if create:
                raise LedgerUnavailable(
                    f"{path}: the file or its folder may not be written; it can be read only"
                )
            description, alias = _read_only(path), f"{alias}-read"
    if alias not in connections.settings:
        connections.settings[alias] = connections.configure_settings({"default": {}, alias: description})[
            alias
        ]
    if not create:
        _check_readable(alias, url, ledger)
        return alias
    try:
        call_command("migrate", "store", database=alias, verbosity=0, interactive=False)
    except Error as error:
        raise _unreadable(url, error) from error
    return alias


def _writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _read_only(path: Path) -> dict[str, object]:
    """Describe a file on a medium nobody may write to, as an inspector gets it.

    SQLite otherwise makes files beside one in WAL mode to read it. If a write-ahead file lies there, it is read too.
    """
    log = path.with_name(f"{path.name}-wal")
    settled = not log.is_file() or log.stat().st_size == 0
    name = f"file:{quote(str(path))}?{'immutable=1' if settled else 'mode=ro'}"
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": {"timeout": 30}}


def _check_readable(alias: str, url: str, ledger: bool) -> None:
    """Nothing is made in a database that holds something else, and nobody is told that it says nothing."""
    try:
        held = EVENT_TABLE in connections[alias].introspection.table_names()
    except Error as error:
        raise _unreadable(url, error) from error
    if ledger and not held:
        disconnect(alias)
        raise LedgerUnavailable(f"{shown(url)}: holds no ledger of Escalon (it has no table {EVENT_TABLE})")


def _unreadable(url: str, error: Error) -> LedgerUnavailable:
    said = " ".join(str(error).split())
    return LedgerUnavailable(f"{shown(url)}: not a readable ledger: {said}")


def shown(url: str) -> str:
    """Return ``url`` as it may be printed: without its password."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":***@")).geturl()


def connect_existing(url: str) -> str:
    """Return the alias of a ledger that must be there, with its tables brought up to date; see ``connect``."""
    connect(url, create=False)
    return connect(url, create=True)


def connect_accounts(url: str) -> None:
    """Use the database at ``url`` for accounts and sessions, with its tables made or brought up to date.

    It may be the database of the ledger or another one; accounts are no facts of a study and no part of a ledger.
    """
    configure()
    description = connections.configure_settings({"default": _describe(url)})["default"]
    if "default" in connections:
        connections["default"].close()
        del connections["default"]
    connections.settings["default"] = description
    make_account_tables("default")


def make_account_tables(alias: str) -> None:
    """Make the tables of accounts in a database, or bring them up to date."""
    for label in ACCOUNT_LABELS:
        call_command("migrate", label, database=alias, verbosity=0, interactive=False)


@contextmanager
def together(alias: str) -> Iterator[None]:
    """Send the statements inside to the server in one go, up to the first whose rows are fetched.

    On SQLite there is no way to a server to save. An error of a statement may come as late as the end of the block.
    """
    connection = connections[alias]
    if connection.vendor != "postgresql":
        yield
        return
    connection.ensure_connection()
    raw = connection.connection
    if raw.pgconn.pipeline_status != OUTSIDE:
        yield
        return
    with connection.wrap_database_errors, raw.pipeline():
        yield


def lock_study(alias: str, study_id: str) -> Callable[[], None]:
    """Let one writer of the study in until the transaction ends; SQLite's immediate transaction does it by itself.

    On PostgreSQL this is the first statement of the transaction, which must be READ COMMITTED: under a stricter
    level everything after the lock would be read as it was before the lock was given.

    Returns:
        What to call before anything is written: it waits for the lock, and raises LedgerUnavailable if the
        transaction has another isolation level.
    """
    connection = connections[alias]
    if connection.vendor != "postgresql":
        return lambda: None
    cursor = connection.cursor()
    cursor.execute(
        "SELECT current_setting('transaction_isolation'),"
        " pg_advisory_xact_lock(hashtext('escalon-ledger'), hashtext(%s))",
        [study_id],
    )

    def given() -> None:
        (level, _) = cursor.fetchone()
        cursor.close()
        if level != "read committed":
            raise LedgerUnavailable(f"a ledger is written at the isolation level read committed, not {level}")

    return given


def disconnect(alias: str) -> None:
    """Close the connection; SQLite folds its write-ahead file back into the ledger."""
    connections[alias].close()


def _of_connection(url: str, query: str) -> dict[str, str]:
    """Return what the URL says after its question mark, such as sslmode and sslrootcert; libpq knows the names."""
    if not query:
        return {}
    from psycopg import ProgrammingError
    from psycopg.conninfo import make_conninfo

    try:
        said = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=True))
        make_conninfo("", **said)
    except (ValueError, ProgrammingError) as error:
        rule = "after the ? stand settings of the connection, such as sslmode=verify-full"
        raise LedgerUnavailable(f"{shown(url)}: {rule}: {error}") from error
    return said


def _describe(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    if parts.scheme in ("postgresql", "postgres"):
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.path.lstrip("/"),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": str(parts.port or ""),
            # The server plans the statements of a command once. (A pooler in front of it must keep sessions.)
            "OPTIONS": {
                "server_side_binding": True,
                "prepare_threshold": 3,
                **_of_connection(url, parts.query),
            },
        }
    if parts.scheme not in ("", "sqlite"):
        rule = "a ledger is a file path, sqlite:///path or postgresql://user@host/name"
        raise LedgerUnavailable(f"{url}: {rule}")
    path = url if parts.scheme == "" else parts.path.removeprefix("/")
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(Path(path).absolute()),
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 30, "init_command": SQLITE_START},
    }
