"""The role that writes: it may read and append, and of a value only destroy what a redaction says."""

import re

from django.db import connections

from escalon.store.connection import connect, disconnect
from escalon.store.projections import TABLES

APPENDED = ("ledger_event", "ledger_value", "ledger_checkpoint", "study_version")


def grants(role: str) -> tuple[str, ...]:
    """Return the statements that make ``role`` the writing role of a PostgreSQL ledger.

    Raises:
        ValueError: the name needs quoting; a role is lower-case letters, digits and underscores.
    """
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", role):
        raise ValueError(f"{role!r} is no plain role name: lower-case letters, digits, underscores")
    derived = ", ".join(TABLES)
    return (
        f"GRANT USAGE ON SCHEMA public TO {role}",
        f"REVOKE ALL ON {', '.join(APPENDED)}, {derived}, ledger_snapshot FROM {role}",
        f"GRANT SELECT, INSERT ON {', '.join(APPENDED)} TO {role}",
        f"GRANT UPDATE (salt, value, redacted_by_seq) ON ledger_value TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {derived}, ledger_snapshot TO {role}",
        f"GRANT SELECT ON django_migrations TO {role}",
    )


def apply_grants(url: str, role: str) -> None:
    """Create ``role`` without a password if it is missing, and carry the grants out as the owner at ``url``."""
    statements = grants(role)
    alias = connect(url, create=True)
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE ROLE {role} LOGIN")
            for statement in statements:
                cursor.execute(statement)
    finally:
        disconnect(alias)
