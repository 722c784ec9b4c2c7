"""The last backup: it is there, young enough, verifies, and is of this ledger."""

from datetime import UTC, datetime
from pathlib import Path

from django.db import DatabaseError, connections

from escalon.store.backup import read_backup
from escalon.store.connection import LedgerUnavailable, connect, disconnect
from escalon.store.install.finding import Finding, judged
from escalon.store.manifest import MANIFEST, read_manifest

AREA, WHAT = "backup", "last backup"


def check_backup(
    place: Path | None, url: str | None, now: datetime, hours: float = 25.0, key: str | None = None
) -> list[Finding]:
    """Return what there is to say of the last backup.

    Args:
        place: a backup, or the folder of all of them.
        url: the ledger it must be of; None: not compared.
        now: by the clock of this machine (UTC).
        hours: how old it may be.
        key: public key it must be signed with.
    """
    if place is None:
        return [Finding(AREA, WHAT, "not applicable", "name its place with --backup")]
    found = _latest(place)
    if found is None:
        return [Finding(AREA, WHAT, "fail", f"{place}: there is no backup")]
    made, folder = found
    age = (now - made).total_seconds() / 3600
    findings = [
        judged(AREA, WHAT, age <= hours, f"{folder}, {age:.1f} h old", f"at most {hours:g} h are allowed")
    ]
    try:
        backup = read_backup(folder, key)
    except LedgerUnavailable as error:
        return [*findings, Finding(AREA, "verifies", "fail", str(error))]
    signer = backup.manifest.get("public_key")
    findings.append(Finding(AREA, "verifies", "pass", f"signed by {signer}" if signer else "not signed"))
    if url is not None:
        strange = [study for study, said in backup.studies.items() if not _holds(url, study, said["head"])]
        of_it = bool(backup.studies) and not strange
        findings.append(
            judged(AREA, "of this ledger", of_it, ", ".join(strange or backup.studies) or "of no study")
        )
    return findings


def _latest(place: Path) -> tuple[datetime, Path] | None:
    folders = [place] if (place / MANIFEST).is_file() else [one.parent for one in place.glob(f"*/{MANIFEST}")]
    found = []
    for folder in folders:
        try:
            at = datetime.fromisoformat(read_manifest(folder)["at"])
        except (ValueError, KeyError):
            at = datetime.fromtimestamp(
                (folder / MANIFEST).stat().st_mtime, UTC
            )  # said to be wrong when it is read
        found.append((at if at.tzinfo else at.replace(tzinfo=UTC), folder))
    return max(found, default=None)


def _holds(url: str, study_id: str, head: str) -> bool:
    alias = connect(url, create=False)
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1 FROM ledger_event WHERE study_id = %s AND hash = %s", [study_id, head])
            return cursor.fetchone() is not None
    except DatabaseError:
        return False  # no ledger there: said by the check of the database
    finally:
        disconnect(alias)
