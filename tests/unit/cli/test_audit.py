"""`escalon audit`, `review`, `break-glass`, `notices`: filters, exports, signatures, and reading under a name."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from escalon.cli import app
from escalon.conduct import commands as core
from escalon.conduct.act import Refused
from escalon.conduct.fold import fold
from escalon.conduct.people.events import SecurityEventRecorded
from escalon.protocol import StudyFolder
from escalon.store.connection import connect_accounts
from escalon.store.execute import LedgerWriter
from escalon.store.ledger import read_facts
from tests.act import (
    ADMINISTRATOR,
    COORDINATOR,
    DATA_MANAGER,
    INSPECTOR,
    INVESTIGATOR,
    INVESTIGATOR_2,
    STATISTICIAN,
    Desk,
    adverse_event,
    enrol,
    opened,
)

PASSPHRASE = "seven grey herons at dawn"
SIGNERS = (DATA_MANAGER, ADMINISTRATOR, INVESTIGATOR)


@pytest.fixture(scope="module")
def desk(balli: StudyFolder) -> Desk:
    """Patient 001 of site 01; an adverse event entered late and corrected."""
    desk = opened(balli)
    enrol(desk, "001")
    first = adverse_event(desk)
    desk.must(COORDINATOR, core.RecordForm("001", "AE", "AE-1", first), days=11)
    desk.must(COORDINATOR, core.RecordForm("001", "AE", "AE-1", {**first, "AETOXGR": 3}, None, "=read again"))
    return desk


@pytest.fixture
def ledger(desk: Desk, tmp_path: Path) -> str:
    url = str(tmp_path / "ledger.db")
    with LedgerWriter(url, desk.folder) as writer, writer.batch():
        for signed in desk.sent:
            assert not isinstance(writer.execute(signed), Refused)
    return url


@pytest.fixture
def accounts(ledger: str, desk: Desk, tmp_path: Path) -> str:
    """Accounts of those who sign; the password is the same for all."""
    url = str(tmp_path / "accounts.db")
    connect_accounts(url)
    from escalon.store.accounts.door import Accounts

    with LedgerWriter(ledger, desk.folder) as writer:
        letters: list[str] = []
        door = Accounts(writer, desk.folder, lambda to, token: letters.append(token))
        for person in SIGNERS:
            door.create_account(ADMINISTRATOR, person.id, f"{person.id}@site.example")
            door.set_password(letters[-1], PASSPHRASE)
    return url


def run(*args: str, code: int = 0, typed: str | None = None) -> str:
    # Wide, so that no cell is broken over lines.
    result = CliRunner().invoke(app, list(args), input=typed, env={"COLUMNS": "200"})
    assert result.exit_code == code, result.output
    return result.output


def listed(ledger: str, *args: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(run("audit", ledger, "--json", *args))["rows"]
    return rows


def views(ledger: str) -> list[tuple[str, str, str]]:
    events = [fact.event for fact in read_facts(ledger)]
    return [
        (event.kind, event.person, event.detail)
        for event in events
        if isinstance(event, SecurityEventRecorded) and event.kind in ("viewed", "exported")
    ]


def test_the_trail_holds_every_event_and_every_value(ledger: str, desk: Desk) -> None:
    rows = listed(ledger)
    assert {row["seq"] for row in rows} == set(range(1, desk.state.seq + 1))
    (change,) = [row for row in rows if row["version"] == 2 and row["kind"] == "FormRecorded"]
    assert (change["item"], change["old"], change["new"]) == ("AETOXGR", 4, 3)
    assert (change["patient"], change["site"], change["role"], change["name"]) == (
        "001",
        "01",
        "coordinator",
        "Coordinator",
    )
    assert (change["tz"], change["organisation"], change["origin"]) == ("America/New_York", "Test", "system")


def test_filters_narrow_and_combine(ledger: str) -> None:
    assert len(listed(ledger, "--item", "AETOXGR")) == 2
    assert len(listed(ledger, "--item", "AETOXGR", "--item", "AETERM")) == 3
    assert len(listed(ledger, "--item", "AETOXGR", "--since", "2020-01-17", "--until", "2020-01-17")) == 2
    assert not listed(ledger, "--item", "AETOXGR", "--until", "2020-01-16")
    assert len(listed(ledger, "--item", "AETOXGR", "--text", "Read Again")) == 1
    assert not listed(ledger, "--item", "AETOXGR", "--origin", "import")
    late = listed(ledger, "--flag", "late_entry")
    assert {row["record"] for row in late} == {"AE-1"}
    assert late == listed(ledger, "--definition", "late-entries")


def test_the_table_shows_the_last_rows_and_says_how_many_there_are(ledger: str) -> None:
    shown = run("audit", ledger, "--form", "AE", "--last", "2")
    assert "earlier ones are not shown" in shown
    assert "entered late; not reviewed" in shown
    assert "=read again" in shown
    assert run("audit", ledger, "--patient", "001", "--until", "2019-01-01") == "No event matches.\n"


def test_csv_has_every_column_and_no_formula(ledger: str) -> None:
    rows = list(csv.DictReader(io.StringIO(run("audit", ledger, "--csv", "--item", "AETOXGR"))))
    assert [(row["old_kind"], row["old"], row["new"]) for row in rows] == [
        ("absent", "", "4"),
        ("value", "4", "3"),
    ]
    assert rows[1]["reason"] == "'=read again"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--since", "May"], "2026-05-04"),
        (["--until", "2026-05-04T10:00"], "2026-05-04"),
        (["--definition", "all"], "late-entries"),
        (["--flag", "odd"], "late_entry"),
        (["--csv", "--json"], "either"),
        (["--patient", "099"], "knows no such patient; it has 001"),
        (["--site", "99"], "knows no such site; it has 01"),
        (["--person", "nobody"], "knows no such person"),
        (["--role", "wizard"], "knows no such role"),
        (["--kind", "formrecorded"], "knows no such kind"),
        (["--since", "2020-02-01", "--until", "2020-01-01"], "no event is in between"),
    ],
)
def test_a_wrong_wish_says_what_would_be_right(ledger: str, args: list[str], words: str) -> None:
    assert words in run("audit", ledger, *args, code=2)


def test_a_review_is_signed_with_the_password_and_covers_its_rows(ledger: str, accounts: str) -> None:
    args = (
        "--by",
        "dm",
        "--definition",
        "late-entries",
        "--conclusion",
        "site is trained",
        "--accounts",
        accounts,
    )
    wrong = run("review", "audit", ledger, *args, code=2, typed="wrong\n")
    assert "login refused" in wrong
    assert not fold(read_facts(ledger)).oversight.audit_reviews
    before = fold(read_facts(ledger)).seq
    said = run("review", "audit", ledger, *args, "--upto", str(before), typed=f"{PASSPHRASE}\n")
    assert f"events 1 to {before}" in said
    assert not listed(ledger, "--definition", "late-entries", "--unreviewed")
    assert all(row["reviews"] == [1] for row in listed(ledger, "--definition", "late-entries"))
    assert listed(ledger, "--kind", "DoseAssigned", "--unreviewed")
    (review,) = fold(read_facts(ledger)).oversight.audit_reviews
    assert review.by == "dm"
    assert review.rows > 0
    assert "the rows that were signed" in run("review", "check", "1", "--ledger", ledger)
    assert "gap" not in run("review", "list", ledger)
    due = json.loads(run("review", "list", ledger, "--json"))["reviews"]
    assert {one["name"]: one["overdue"] for one in due}["late-entries"] is False
    assert {one["name"]: one["overdue"] for one in due}["critical-changes"] is True
    assert "OVERDUE" in run("review", "list", ledger)


def test_a_review_by_who_may_not_is_refused(ledger: str, accounts: str) -> None:
    args = ("--definition", "late-entries", "--conclusion", "fine", "--accounts", accounts)
    assert "data_manager" in run(
        "review", "audit", ledger, "--by", "i", *args, code=2, typed=f"{PASSPHRASE}\n"
    )


def test_the_review_of_access_ends_the_rights_it_names(ledger: str, accounts: str) -> None:
    args = ("--by", "a", "--conclusion", "one has left", "--accounts", accounts)
    assert "PERSON:ROLE" in run("review", "access", ledger, *args, "--revoke", "co", code=2)
    said = run("review", "access", ledger, *args, "--revoke", "co:coordinator:01", typed=f"{PASSPHRASE}\n")
    assert "1 taken away" in said
    on = fold(read_facts(ledger)).at
    assert on is not None
    rights = json.loads(run("access", ledger, "--on", on.isoformat(), "--json"))["rights"]
    assert "co" not in {right["person"] for right in rights}


def test_an_emergency_right_is_taken_told_and_shown_as_due(
    ledger: str, accounts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked, outbox = tmp_path / "blocked", tmp_path / "outbox"
    blocked.write_text("a file where the folder should be")
    monkeypatch.setenv("ESCALON_MAIL", f"outbox:{blocked}")
    args = ("--role", "coordinator", "--site", "01", "--reason", "nobody there", "--accounts", accounts)
    said = run("break-glass", ledger, "--by", "i", *args, "--hours", "2", typed=f"{PASSPHRASE}\n")
    assert "emergency right 1: coordinator until" in said
    for hours in ("nan", "inf", "-1"):
        wrong = run("break-glass", ledger, "--by", "i", *args, f"--hours={hours}", code=2)
        assert "right is a number of hours above 0" in wrong
    unknown = ("--role", "wizard", "--reason", "x", "--hours", "1")
    assert "--role wizard: no such role" in run("break-glass", ledger, "--by", "i", *unknown, code=2)
    assert "emergency-1" in run("review", "list", ledger)
    assert "2 wait" in run("notices", ledger)
    assert "WAITS" in run("notices", ledger, "--send", "--accounts", accounts, code=1)
    monkeypatch.setenv("ESCALON_MAIL", f"outbox:{outbox}")
    assert "0 wait" in run("notices", ledger, "--send", "--accounts", accounts)
    contacts, reviewers = (mail.read_text() for mail in sorted(outbox.iterdir()))
    assert "security@example.org" in contacts
    assert "a@site.example" in reviewers
    monkeypatch.delenv("ESCALON_MAIL")
    assert "ESCALON_MAIL" in run("notices", ledger, "--send", code=2)
    review = ("--by", "a", "--number", "1", "--conclusion", "fine", "--accounts", accounts)
    assert "runs until" in run("review", "emergency", ledger, *review, code=2, typed=f"{PASSPHRASE}\n")


# Reading under a name (AC-2, AT-8)


def test_who_may_read_does_and_it_is_written_down(ledger: str) -> None:
    before = fold(read_facts(ledger)).seq
    listed(ledger)
    assert fold(read_facts(ledger)).seq == before, "offline reading writes nothing"
    rows = listed(ledger, "--as", DATA_MANAGER.id)
    assert rows
    assert views(ledger) == [("exported", "dm", "audit trail: rows")]
    run("audit", ledger, "--as", INSPECTOR.id)
    assert views(ledger)[-1] == ("viewed", "in", "audit trail: rows")


def test_who_may_not_read_sees_nothing_and_nothing_is_written(ledger: str) -> None:
    for person in (STATISTICIAN.id, ADMINISTRATOR.id, "nobody"):
        said = run("audit", ledger, "--as", person, code=3)
        assert "AETOXGR" not in said
    assert views(ledger) == []


def test_a_site_reads_its_own_site_only(ledger: str) -> None:
    assert "name your site" in run("audit", ledger, "--as", INVESTIGATOR.id, code=3)
    assert "may not read" in run("audit", ledger, "--as", INVESTIGATOR_2.id, "--site", "01", code=3)
    assert "of the whole study" in run("audit", ledger, "--as", "i", "--site", "01", "--site", "02", code=3)
    rows = listed(ledger, "--as", INVESTIGATOR.id, "--site", "01")
    assert {row["site"] for row in rows} == {"01"}


def test_security_events_are_for_who_may_read_them(ledger: str) -> None:
    run("audit", ledger, "--as", DATA_MANAGER.id)
    kind = ("--kind", "SecurityEventRecorded")
    assert not listed(ledger, *kind, "--as", DATA_MANAGER.id)
    assert listed(ledger, *kind, "--as", INSPECTOR.id)
    assert listed(ledger, *kind)


READS: list[tuple[tuple[str, ...], str, str, str]] = [
    (("access", "LEDGER", "--on", "2020-01-06"), ADMINISTRATOR.id, DATA_MANAGER.id, "viewed"),
    (("cohorts", "LEDGER"), STATISTICIAN.id, ADMINISTRATOR.id, "viewed"),
    (("queue", "LEDGER"), INVESTIGATOR.id, ADMINISTRATOR.id, "viewed"),
    (("fairness", "LEDGER"), DATA_MANAGER.id, ADMINISTRATOR.id, "viewed"),
    (("holds", "LEDGER"), DATA_MANAGER.id, ADMINISTRATOR.id, "viewed"),
    (("calendar", "LEDGER", "--site", "01", "--out", "OUT"), "i", ADMINISTRATOR.id, "exported"),
    (("safety", "calendar", "LEDGER"), "so", STATISTICIAN.id, "viewed"),
    (("decision", "list", "--ledger", "LEDGER"), STATISTICIAN.id, INVESTIGATOR.id, "viewed"),
    (("safety", "cases", "LEDGER"), "so", STATISTICIAN.id, "viewed"),
    (("safety", "clocks", "LEDGER"), "so", DATA_MANAGER.id, "viewed"),
    (("safety", "reports", "LEDGER"), "so", ADMINISTRATOR.id, "viewed"),
    (("export", "LEDGER", "--out", "OUT"), DATA_MANAGER.id, ADMINISTRATOR.id, "exported"),
    (
        ("casebook", "LEDGER", "--patient", "001", "--out", "OUT"),
        INVESTIGATOR.id,
        INVESTIGATOR_2.id,
        "exported",
    ),
]


@pytest.mark.parametrize(("args", "reader", "other", "kind"), READS, ids=lambda value: str(value)[:24])
def test_each_reading_is_checked_and_written_down(
    ledger: str, tmp_path: Path, args: tuple[str, ...], reader: str, other: str, kind: str
) -> None:
    out = tmp_path / "out"
    given = [{"LEDGER": ledger, "OUT": str(out)}.get(word, word) for word in args]
    assert "may not read" in run(*given, "--as", other, code=3)
    assert not out.exists()
    assert views(ledger) == []
    run(*given, "--as", reader)
    ((written, person, _),) = views(ledger)
    assert (written, person) == (kind, reader)
    out.unlink(missing_ok=True)
    run(*given)
    assert len(views(ledger)) == 1, "offline reading writes nothing"
