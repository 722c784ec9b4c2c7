"""Accounts as a file and back: persons' ids and addresses, password hashes, links, second factors.

Not in it: sessions (everybody logs in again) and counts of failed logins (a lock-out ends). The file holds the secrets
of second factors: whoever has it can make codes. Links that were open are revoked at the restore.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from django.core import serializers
from django.core.management.color import no_style
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections
from django.db.models import Model
from django_otp.plugins.otp_totp.models import TOTPDevice

from escalon.store.accounts.models import Account, Link

MODELS: tuple[type[Model], ...] = (Account, Link, TOTPDevice)


class Exact(DjangoJSONEncoder):
    """Moments with their microseconds: Django's own encoder drops them, and what comes back is another moment."""

    def default(self, o: Any) -> Any:
        """Return ``o`` as JSON can hold it."""
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


def has_accounts(alias: str) -> bool:
    """Tell whether the database holds the tables of accounts."""
    return Account._meta.db_table in connections[alias].introspection.table_names()


def count_accounts(alias: str) -> dict[str, int]:
    """Return the number of rows by table."""
    return {model._meta.db_table: model._default_manager.using(alias).count() for model in MODELS}


def accounts_text(alias: str) -> str:
    """Return all accounts, links and second factors as JSON lines, in order of their keys."""
    parts = (
        serializers.serialize("jsonl", model._default_manager.using(alias).order_by("pk"), cls=Exact)
        for model in MODELS
    )
    return "".join(parts)


def write_accounts(alias: str, path: Path) -> dict[str, int]:
    """Write the accounts to a file that only its owner can read; return the number of rows by table."""
    path.touch(mode=0o600)
    path.write_text(accounts_text(alias), encoding="utf-8")
    return count_accounts(alias)


def insert_accounts(alias: str, text: str, at: datetime) -> None:
    """Write what ``accounts_text`` returned into empty tables, compare, and revoke open links.

    Raises:
        ValueError: there are accounts already, or what was written differs.
    """
    if any(count_accounts(alias).values()):
        raise ValueError("there are accounts already; they are restored into empty tables only")
    for one in serializers.deserialize("jsonl", text):
        one.save(using=alias)
    if accounts_text(alias) != text:
        raise ValueError("the restored accounts are not those of the backup")
    with connections[alias].cursor() as cursor:
        for statement in connections[alias].ops.sequence_reset_sql(no_style(), list(MODELS)):
            cursor.execute(statement)
    Link.objects.using(alias).filter(used_at=None, revoked_at=None).update(revoked_at=at)
