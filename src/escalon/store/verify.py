"""Does the ledger hold? An export is verified without Django; a database is read through it."""

from pathlib import Path

from escalon.store.chain_check import Verification, verify_entries
from escalon.store.export import is_export, verify_export


def verify_ledger(url: str, head: str | None = None, key: str | None = None) -> tuple[Verification, ...]:
    """Verify every study in the ledger at ``url``, or an export file.

    Args:
        url: file path, ``sqlite:///path``, ``postgresql://user@host/name``, or path of an export.
        head: hash the last event must have, from a report or receipt; it finds a tail that was cut off.

        key: public key (hexadecimal) the checkpoint of an export must be signed with.

    Raises:
        LedgerUnavailable: there is no ledger, or it cannot be read.
    """
    if is_export(Path(url)):
        return (verify_export(Path(url), head, key),)
    from django.db import DatabaseError

    from escalon.store.connection import LedgerUnavailable, connect, disconnect
    from escalon.store.ledger import iterate_entries, study_ids

    if key is not None:
        raise ValueError("a key is for exports: give the file that `escalon export` wrote")
    alias = connect(url, create=False)
    try:
        found = tuple(
            verify_entries(study_id, iterate_entries(alias, study_id), head) for study_id in study_ids(alias)
        )
    except DatabaseError as error:
        raise LedgerUnavailable(f"{url}: not a readable ledger: {error}") from error
    finally:
        disconnect(alias)
    if not found:
        raise LedgerUnavailable(f"{url}: the ledger is empty")
    return found
