"""A backup is signed, holds the accounts, and comes back whole or not at all, on either database."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from escalon.conduct import commands as c
from escalon.conduct.custody.topic import LedgerRestored
from escalon.protocol import StudyFolder
from escalon.store.backup import read_backup, write_backup
from escalon.store.connection import LedgerUnavailable, connect_accounts
from escalon.store.custody import write_checkpoint
from escalon.store.execute import LedgerWriter
from escalon.store.ledger import read_facts
from escalon.store.manifest import write_manifest
from escalon.store.restore import restore_and_record
from escalon.store.signing import new_key, read_key
from tests.databases import ask, disarm, fresh_url
from tests.unit.store.acts import commands, event_count

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PASSPHRASE = "seven grey herons at dawn"
SECRET = "3132333435363738393031323334353637383930"  # the key of the examples of RFC 6238
ROWS = {"accounts_account": 2, "accounts_link": 2, "otp_totp_totpdevice": 1}


def written(url: str, folder: StudyFolder) -> str:
    with LedgerWriter(url, folder) as writer:
        for signed in commands(folder):
            assert not isinstance(writer.execute(signed), c.Refused)
        return writer.head


def give_accounts(url: str) -> None:
    """Two accounts in the database at ``url``: one with password and second factor, one with an open link."""
    connect_accounts(url)
    from django_otp.plugins.otp_totp.models import TOTPDevice

    from escalon.store.accounts.models import Account, Link

    full = Account(person="co", address="co@site.example", created_at=NOW, password_set_at=NOW)
    full.set_password(PASSPHRASE)
    new = Account(person="i", address="i@site.example", created_at=NOW)
    new.set_unusable_password()
    for account, used in ((full, NOW), (new, None)):
        account.save(force_insert=True)
        until = NOW + timedelta(days=2)
        Link.objects.create(
            token_hash=account.person * 3, account=account, made_at=NOW, expires_at=until, used_at=used
        )
    device = TOTPDevice.objects.create(user=full, name="authenticator", key=SECRET, confirmed=True)
    TOTPDevice.objects.filter(pk=device.pk).update(created_at=NOW.replace(microsecond=456))


def accounts_at(url: str) -> None:
    """Assert that the accounts at ``url`` are those given, with the open link revoked."""
    connect_accounts(url)
    from django_otp.plugins.otp_totp.models import TOTPDevice

    from escalon.store.accounts.models import Account, Link

    assert Account.objects.get(person="co").check_password(PASSPHRASE)
    assert not Account.objects.get(person="i").has_usable_password()
    assert TOTPDevice.objects.get(user_id="co").key == SECRET
    assert TOTPDevice.objects.get(user_id="co").created_at == NOW.replace(microsecond=456)
    revoked = {link.account_id: (link.used_at, link.revoked_at) for link in Link.objects.all()}
    assert revoked == {"co": (NOW, None), "i": (None, NOW)}
    again = TOTPDevice.objects.create(user_id="i", name="made after the restore")
    assert again.pk not in (None, TOTPDevice.objects.get(user_id="co").pk)


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_accounts_come_back_with_passwords_and_second_factors(
    tmp_path: Path, balli: StudyFolder, into: str, url: str
) -> None:
    head = written(url, balli)
    give_accounts(url)
    public = new_key(tmp_path / "key.pem")
    checkpoint = write_checkpoint(url, read_key(tmp_path / "key.pem"), NOW.isoformat())
    manifest = write_backup(url, tmp_path / "backup", NOW.isoformat(), read_key(tmp_path / "key.pem"))
    assert manifest["accounts"]["rows"] == ROWS
    assert (tmp_path / "backup" / "accounts.jsonl").stat().st_mode & 0o077 == 0
    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0
    (tmp_path / "new").mkdir()
    with fresh_url(into, tmp_path / "new") as target:
        (result,) = restore_and_record(
            tmp_path / "backup", target, balli, "s", "disk failure", NOW, checkpoint.root, key=public
        )
        assert result.holds, result.problems
        restored = read_facts(target)[-1].event
        assert restored == LedgerRestored(
            NOW.isoformat(),
            event_count(balli),
            head,
            checkpoint.root,
            "disk failure",
            event_count(balli),
            public,
            2,
        )
        for table, count in manifest["studies"]["BALLI-01"]["rows"].items():
            if table not in ("ledger_event", "ledger_value"):  # the restore itself is an event more
                assert ask(target, f"SELECT count(*) FROM {table}") == [(count,)], table
        accounts_at(target)
        connect_accounts(str(tmp_path / "elsewhere.db"))  # lets go of the database that is dropped


def test_accounts_may_be_elsewhere_or_left_out(tmp_path: Path, balli: StudyFolder) -> None:
    url, accounts = str(tmp_path / "ledger.db"), str(tmp_path / "accounts.db")
    written(url, balli)
    give_accounts(accounts)
    for where, said in (
        ("ledger", {"left_out": "the database of the ledger holds none"}),
        ("none", {"left_out": "as asked for"}),
    ):
        assert write_backup(url, tmp_path / where, NOW.isoformat(), accounts=where)["accounts"] == said
    with pytest.raises(LedgerUnavailable, match="no accounts in this database"):
        write_backup(url, tmp_path / "wrong", NOW.isoformat(), accounts=url)
    assert (
        write_backup(url, tmp_path / "both", NOW.isoformat(), accounts=accounts)["accounts"]["rows"] == ROWS
    )
    target, into = str(tmp_path / "new.db"), str(tmp_path / "new-accounts.db")
    restore_and_record(tmp_path / "both", target, balli, "s", "moved", NOW, accounts=into)
    accounts_at(into)
    bare = str(tmp_path / "bare.db")
    restore_and_record(tmp_path / "both", bare, balli, "s", "data only", NOW, accounts="none")
    last = read_facts(bare)[-1].event
    assert isinstance(last, LedgerRestored)
    assert last.accounts is None
    taken = str(tmp_path / "taken.db")
    with pytest.raises(LedgerUnavailable, match="accounts already"):
        restore_and_record(tmp_path / "both", taken, balli, "s", "again", NOW, accounts=into)
    assert ask(taken, "SELECT count(*) FROM ledger_event") == [(0,)]


def forge(backup: Path, change: dict[str, Any]) -> None:
    manifest = json.loads((backup / "manifest.json").read_text())
    (backup / "manifest.json").write_text(json.dumps({**manifest, **change}))


def test_a_changed_manifest_or_file_is_found(tmp_path: Path, balli: StudyFolder) -> None:
    url, backup = str(tmp_path / "ledger.db"), tmp_path / "backup"
    written(url, balli)
    give_accounts(url)
    public, other = new_key(tmp_path / "key.pem"), new_key(tmp_path / "other.pem")
    write_backup(url, backup, NOW.isoformat(), read_key(tmp_path / "key.pem"))
    whole = (backup / "manifest.json").read_text()
    assert read_backup(backup).manifest["public_key"] == public
    assert read_backup(backup, public).accounts is not None
    with pytest.raises(LedgerUnavailable, match="not by the key expected"):
        read_backup(backup, other)
    manifest = json.loads(whole)
    rows = {**manifest["studies"]["BALLI-01"]["rows"], "seat": 0}
    studies = {"BALLI-01": {**manifest["studies"]["BALLI-01"], "rows": rows}}
    for change in (
        {"at": "2026"},
        {"accounts": {"left_out": "x"}},
        {"studies": studies},
        {"signature": "00"},
        {"more": 1},
    ):
        forge(backup, change)
        with pytest.raises(LedgerUnavailable, match="signature of the manifest does not fit"):
            read_backup(backup)
        (backup / "manifest.json").write_text(whole)
    unsigned = {name: value for name, value in manifest.items() if name not in ("public_key", "signature")}
    write_manifest(backup, unsigned, None)  # the signature taken off
    read_backup(backup)
    with pytest.raises(LedgerUnavailable, match="signed by nobody"):
        read_backup(backup, public)
    write_manifest(backup, unsigned, read_key(tmp_path / "other.pem"))  # another signer over our exports
    with pytest.raises(LedgerUnavailable, match="not by the key expected"):
        read_backup(backup)
    (backup / "manifest.json").write_text(whole)
    text = (backup / "accounts.jsonl").read_text()
    (backup / "accounts.jsonl").write_text(text.replace("co@site.example", "me@else.example"))
    with pytest.raises(LedgerUnavailable, match="accounts are not those"):
        read_backup(backup)
    (backup / "accounts.jsonl").unlink()
    with pytest.raises(LedgerUnavailable, match="cannot be read"):
        read_backup(backup)


def test_rows_that_do_not_come_back_are_counted(tmp_path: Path, balli: StudyFolder) -> None:
    url, backup = str(tmp_path / "ledger.db"), tmp_path / "backup"
    written(url, balli)
    disarm(url)
    ask(url, "DELETE FROM slot")
    write_backup(url, backup, NOW.isoformat())
    with pytest.raises(LedgerUnavailable, match="restored rows of slot are 2, not 0"):
        restore_and_record(backup, str(tmp_path / "new.db"), balli, "s", "x", NOW)
    assert ask(str(tmp_path / "new.db"), "SELECT count(*) FROM ledger_event") == [(0,)]


def test_a_backup_of_an_earlier_release_is_still_restored(tmp_path: Path, balli: StudyFolder) -> None:
    """No accounts, no signature, counts of events and values only."""
    url, backup = str(tmp_path / "ledger.db"), tmp_path / "backup"
    written(url, balli)
    write_backup(url, backup, NOW.isoformat())
    manifest = json.loads((backup / "manifest.json").read_text())
    del manifest["accounts"], manifest["studies"]["BALLI-01"]["rows"]
    (backup / "manifest.json").write_text(json.dumps(manifest))
    (result,) = restore_and_record(backup, str(tmp_path / "new.db"), balli, "s", "x", NOW)
    assert result.holds
