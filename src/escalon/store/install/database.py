"""The database of a ledger: version, migrations, triggers, rights of the role that writes, TLS, chain."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError, connections

from escalon.store.chain_check import verify_entries
from escalon.store.connection import LedgerUnavailable, connect, disconnect
from escalon.store.grants import APPENDED
from escalon.store.install.clock import check_last_event, check_same_time
from escalon.store.install.finding import Finding, judged
from escalon.store.install.schema import migration_names, one_line, postgresql_guards, sqlite_guards
from escalon.store.ledger import iterate_entries, study_ids
from escalon.store.projections import TABLES

AREA = "database"
OLDEST_POSTGRESQL = 15
REDACTED_COLUMNS = ("salt", "value", "redacted_by_seq")


def check_database(url: str, writer: str | None = None) -> list[Finding]:
    """Return what there is to say of the database at ``url``.

    Args:
        url: as the application uses it: with the role that writes.
        writer: name of that role, if ``url`` is another's (PostgreSQL).
    """
    try:
        alias = connect(url, create=False, ledger=False)
        connections[alias].ensure_connection()
    except (LedgerUnavailable, DatabaseError) as error:
        return [Finding(AREA, "reachable", "fail", one_line(str(error)))]
    try:
        postgresql = connections[alias].vendor == "postgresql"
        found = [_migrations(alias)]
        if found[0].outcome == "fail":
            return found
        found += _postgresql(alias, writer) if postgresql else _sqlite(alias)
        return [*found, *_events(alias)]
    finally:
        disconnect(alias)


def _ask(alias: str, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, list(parameters))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _migrations(alias: str) -> Finding:
    if "django_migrations" not in connections[alias].introspection.table_names():
        return Finding(AREA, "migrations", "fail", "there is no ledger in this database")
    done = {name for (name,) in _ask(alias, "SELECT name FROM django_migrations WHERE app = %s", "store")}
    lost = [name for name in migration_names() if name not in done]
    strange = sorted(done - set(migration_names()))
    detail = f"{len(done)} applied" + (f", missing: {', '.join(lost)}" if lost else "")
    detail += f", of a later release: {', '.join(strange)}" if strange else ""
    return judged(AREA, "migrations", not lost and not strange, detail)


def _sqlite(alias: str) -> list[Finding]:
    expected = sqlite_guards().triggers
    rows = _ask(alias, "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    there = {name: one_line(sql) for name, sql in rows}
    wrong = _differences(expected, there)
    one = "SQLite has no roles: who owns the file owns the data"
    return [
        judged(AREA, "triggers", not wrong, "; ".join(wrong) or f"{len(expected)} as released"),
        Finding(AREA, "rights of the role that writes", "not applicable", one),
        Finding(AREA, "TLS", "not applicable", "a file on this machine"),
    ]


def _differences(expected: dict[str, str], there: dict[str, str]) -> list[str]:
    lost = [f"{name} is missing" for name in sorted(expected) if name not in there]
    return lost + [
        f"{name} was changed" for name, text in sorted(expected.items()) if there.get(name, text) != text
    ]


def _postgresql(alias: str, writer: str | None) -> list[Finding]:
    ((version, user, isolation),) = _ask(
        alias,
        "SELECT current_setting('server_version_num')::int, current_user,"
        " current_setting('default_transaction_isolation')",
    )
    role = writer or str(user)
    release = f"PostgreSQL {version // 10000}.{version % 10000}"
    new_enough = version >= OLDEST_POSTGRESQL * 10000
    committed = isolation == "read committed"
    ((now,),) = _ask(alias, "SELECT clock_timestamp()")
    return [
        judged(AREA, "version", new_enough, release, f"{OLDEST_POSTGRESQL} or later is needed"),
        judged(AREA, "isolation level", committed, isolation, "read committed is needed"),
        _triggers(alias),
        *_rights(alias, role),
        _tls(alias),
        check_same_time(datetime.now(UTC), now),
    ]


def _triggers(alias: str) -> Finding:
    guards = postgresql_guards()
    rows = _ask(
        alias,
        "SELECT t.tgname, c.relname, t.tgenabled FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE NOT t.tgisinternal",
    )
    wrong = _differences(guards.triggers, {name: table for name, table, _ in rows})
    for name, _, enabled in rows:
        needed = ("A",) if name in guards.always else ("A", "O")
        if name in guards.triggers and str(enabled) not in needed:
            wrong.append(f"{name} does not always fire")
    bodies = dict(
        _ask(alias, "SELECT proname, prosrc FROM pg_proc WHERE proname = ANY(%s)", list(guards.functions))
    )
    wrong += _differences(guards.functions, {name: one_line(text) for name, text in bodies.items()})
    good = f"{len(guards.triggers)} triggers, {len(guards.functions)} functions as released"
    return judged(AREA, "triggers", not wrong, "; ".join(wrong) or good)


def _rights(alias: str, role: str) -> Iterator[Finding]:
    """Yield what the role that writes may do; an owner or superuser can switch triggers off."""
    what = "rights of the role that writes"
    rows = _ask(alias, "SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = %s", role)
    if not rows:
        yield Finding(AREA, what, "fail", f"there is no role {role}")
        return
    if any(rows[0]):
        power = "a superuser" if rows[0][0] else "a maker of roles"
        yield Finding(AREA, what, "fail", f"{role} is {power}; use the role of `escalon store roles`")
        return
    owned = _ask(
        alias,
        "SELECT tablename FROM pg_tables WHERE tablename = ANY(%s) AND pg_has_role(%s, tableowner, 'USAGE')",
        [*APPENDED, *TABLES],
        role,
    )
    if owned:
        yield Finding(AREA, what, "fail", f"{role} owns {owned[0][0]}; use the role of `escalon store roles`")
        return
    wrong = [*_wrong_appended(alias, role), *_wrong_derived(alias, role)]
    yield judged(AREA, what, not wrong, "; ".join(wrong) or f"{role} reads, appends, redacts, and no more")


def _may(alias: str, role: str, table: str, right: str) -> bool:
    ((may,),) = _ask(alias, "SELECT has_table_privilege(%s, %s, %s)", role, table, right)
    return bool(may)


def _wrong_appended(alias: str, role: str) -> Iterator[str]:
    for table in APPENDED:
        for right in ("SELECT", "INSERT"):
            if not _may(alias, role, table, right):
                yield f"{role} lacks {right} on {table}"
        for right in ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER"):
            if _may(alias, role, table, right):
                yield f"{role} may {right} {table}"
        columns = _ask(
            alias,
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
            " AND has_column_privilege(%s, %s, column_name, 'UPDATE') ORDER BY column_name",
            table,
            role,
            table,
        )
        allowed = set(REDACTED_COLUMNS) if table == "ledger_value" else set()
        given = {name for (name,) in columns}
        if given != allowed and not _may(alias, role, table, "UPDATE"):
            yield f"{role} may update of {table}: {', '.join(sorted(given)) or 'nothing'}"


def _wrong_derived(alias: str, role: str) -> Iterator[str]:
    for table in (*TABLES, "ledger_snapshot"):
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE"):
            if not _may(alias, role, table, right):
                yield f"{role} lacks {right} on {table}"


def _tls(alias: str) -> Finding:
    ((address, ssl, protocol),) = _ask(
        alias,
        "SELECT host(inet_client_addr()), s.ssl, s.version FROM pg_stat_ssl s WHERE s.pid = pg_backend_pid()",
    )
    if ssl:
        mode = os.environ.get("PGSSLMODE", "prefer")
        checked = (
            "certificate checked"
            if mode == "verify-full"
            else "certificate not checked: set PGSSLMODE=verify-full"
        )
        return Finding(AREA, "TLS", "pass", f"{protocol}; {checked}")
    if address is None or str(address) in ("127.0.0.1", "::1"):
        return Finding(AREA, "TLS", "not applicable", "the server is on this machine")
    return Finding(AREA, "TLS", "fail", "the connection is not encrypted; set PGSSLMODE=verify-full")


def _events(alias: str) -> Iterator[Finding]:
    rows = _ask(alias, "SELECT max(at) FROM ledger_event")
    yield check_last_event(rows[0][0], datetime.now(UTC))
    known = study_ids(alias)
    if not known:
        yield Finding("ledger", "chain of hashes", "not applicable", "the ledger is empty")
    for study_id in known:
        result = verify_entries(study_id, iterate_entries(alias, study_id))
        detail = f"{study_id}: {result.events} events, head {result.head}"
        wrong = f"{study_id}: {result.problems[0]}" if result.problems else ""
        yield judged("ledger", "chain of hashes", result.holds, detail if result.holds else wrong)
