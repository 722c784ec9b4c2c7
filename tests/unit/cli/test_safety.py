"""`escalon safety`: what is due, and reports that are the very bytes whose hash the ledger holds."""

import json
from datetime import UTC, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner

from escalon.cli import app
from escalon.conduct import commands as c
from escalon.conduct.act import Refused
from escalon.conduct.fold import fold
from escalon.conduct.safety import commands as sc
from escalon.conduct.safety.clocks import tasks
from escalon.conduct.safety.icsr.build import case_number
from escalon.conduct.safety.icsr.send import write_report
from escalon.conduct.safety.icsr.write import batch_number
from escalon.protocol import StudyFolder
from escalon.report.terminal_reports import render_reports
from escalon.store.execute import LedgerWriter
from escalon.store.ledger import read_facts
from escalon.store.verify import verify_ledger
from tests.act import COORDINATOR, INVESTIGATOR, SAFETY_OFFICER, T0, Desk
from tests.unit.conduct.test_safety import HASH, assess, record, with_event
from tests.unit.conduct.test_safety_icsr import ACK, HEADER, ROW

STUDY = str(Path(__file__).parents[3] / "studies" / "balli-01")


@pytest.fixture(scope="module")
def desk(balli: StudyFolder) -> Desk:
    """A SUSAR: a true report to the EU on day 4, one with a wrong hash to the US on day 5; news after both."""
    desk = with_event(balli)
    desk.must(COORDINATOR, c.RecordForm("001", "DM", "DM", demographics()))
    assess(desk, "POSSIBLE")
    desk.now += timedelta(days=1)
    by_place = {clock.jurisdiction: clock.number for clock in tasks(desk.state)}
    text = write_report(desk.state, balli, 1, desk.now, "EU", purpose="susar_fatal").text
    true = sha256(text.encode()).hexdigest()
    desk.must(SAFETY_OFFICER, sc.SubmitReport(by_place["EU"], "EudraVigilance", true))
    desk.must(SAFETY_OFFICER, sc.SubmitReport(by_place["US"], "FDA", HASH), days=1)
    desk.must(SAFETY_OFFICER, sc.RecordMatter("dsur", "yearly", T0))
    desk.must(SAFETY_OFFICER, sc.SubmitReport(tasks(desk.state)[-1].number, "FDA", HASH))
    desk.now += timedelta(days=1)
    record(desk, reason="news", AEOUT="RECOVERED/RESOLVED", AEENDTC=desk.now.isoformat())
    died = {"DSDECOD": "DEATH", "DSSTDTC": "2020-01-20", "DTHCAUS": "ADVERSE EVENT"}
    desk.must(COORDINATOR, c.RecordForm("001", "DS", "DS-1", died), days=10)
    return desk


def demographics() -> dict[str, object]:
    return {"AGE": 34, "SEX": "F", "RACE": "WHITE", "ETHNIC": "NOT REPORTED", "COUNTRY": "USA"}


@pytest.fixture(scope="module")
def ledger(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> str:
    url = str(tmp_path_factory.mktemp("safety") / "ledger.db")
    with LedgerWriter(url, desk.folder) as writer, writer.batch():
        for signed in desk.sent:
            assert not isinstance(writer.execute(signed), Refused)
    return url


def run(*args: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["safety", *args])
    assert result.exit_code == code, result.output
    return result.output


def test_cases_and_open_tasks_as_tables_and_as_json(desk: Desk, ledger: str) -> None:
    assert "Pneumonitis" in run("cases", ledger)
    assert "yes, to assess" in run("cases", ledger)
    (case,) = json.loads(run("cases", ledger, "--json"))["cases"]
    assert (case["susar"], case["reports"], len(case["informed_at"])) == (True, [1, 2], 2)
    told = json.loads(run("clocks", ledger, "--at", "2020-01-20T00:00Z", "--json"))
    due = [row["due_at"] for row in told["clocks"]]
    assert due == sorted(due)
    late = [row for row in told["clocks"] if row["late"]]
    assert {row["purpose"] for row in late} == {"complete_report"}
    assert all(row["countdown"].startswith("late by ") for row in late)
    table = run("clocks", ledger, "--at", "2020-01-20T00:00Z")
    assert f"{len(due)} open, {len(late)} late" in table
    assert "matter 1: yearly" in table
    assert run("clocks", ledger, "--at", "2020-01-06T09:00Z") == (
        "No report is due as of 06 Jan 2020 09:00 UTC.\n"
    )
    assert "2026-05-04T14:30Z" in run("clocks", ledger, "--at", "2020-01-06T09:00", code=2)


def test_a_report_is_written_again_byte_for_byte_or_it_is_told(
    desk: Desk, ledger: str, tmp_path: Path
) -> None:
    out = tmp_path / "again.xml"
    options = ("icsr", ledger, "--study", STUDY, "--out", str(out))
    assert "the file that was sent" in run(*options, "--report", "1")
    assert sha256(out.read_bytes()).hexdigest() == desk.state.safety.reports[0].content_hash
    assert "DIFFERS" in run(*options, "--report", "2", code=1)
    assert "matter apart from cases" in run(*options, "--report", "3", code=2)
    assert "report 4: there is none; 3 were sent" in run(*options, "--report", "4", code=2)
    assert "either --case or --report" in run(*options, code=2)


def test_a_case_is_written_for_a_region_with_and_without_a_dictionary(ledger: str, tmp_path: Path) -> None:
    out, terms = tmp_path / "case.xml", tmp_path / "terms.csv"
    terms.write_text(f"{HEADER}\n{ROW}\n", encoding="utf-8")
    options = ("icsr", ledger, "--study", STUDY, "--case", "1", "--out", str(out), "--region", "US")
    assert "Not submittable" in run(*options)
    coded = run(*options, "--dictionary", str(terms), "--dictionary-version", "27.1", "--json")
    assert json.loads(coded)["submittable"] is True
    assert 'codeSystemVersion="27.1"' in out.read_text(encoding="utf-8")
    before = out.read_bytes()
    assert "region UK" in run(*options[:-1], "UK", code=2)
    assert out.read_bytes() == before


def test_a_report_that_is_not_valid_by_the_users_schema_is_not_written(ledger: str, tmp_path: Path) -> None:
    out, schemas = tmp_path / "case.xml", tmp_path / "schemas"
    schema = (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:hl7-org:v3">'
        '<xs:element name="MCCI_IN200100UV01"><xs:complexType><xs:sequence>'
        '<xs:any processContents="skip" minOccurs="{least}" maxOccurs="99"/>'
        '</xs:sequence><xs:attribute name="ITSVersion"/></xs:complexType></xs:element></xs:schema>'
    )
    schemas.mkdir()
    (schemas / "MCCI_IN200100UV01.xsd").write_text(schema.format(least=50), encoding="utf-8")
    options = ("icsr", ledger, "--study", STUDY, "--case", "1", "--out", str(out), "--schema", str(schemas))
    assert "not valid by the schema; nothing was written" in run(*options, code=2)
    assert not out.exists()
    (schemas / "MCCI_IN200100UV01.xsd").write_text(schema.format(least=1), encoding="utf-8")
    assert f"Valid by the schema files in {schemas}" in run(*options)


def answer(desk: Desk, file: Path, message: str, whole: str = "AE", **changes: str) -> str:
    """Write an acknowledgement of report 1 to ``file``."""
    case = case_number(desk.folder, 1)
    batch = batch_number(case, desk.state.safety.reports[0].at, desk.folder.conduct.safety.receivers["EU"])
    names = {"case": case, "batch": batch} | changes
    file.write_text(ACK.format(message=message, whole=whole, **names), encoding="utf-8")
    return str(file)


def test_an_acknowledgement_is_told_and_nothing_recorded_without_a_person(
    desk: Desk, ledger: str, tmp_path: Path
) -> None:
    file, before = answer(desk, tmp_path / "answer.xml", "CR"), len(read_facts(ledger))
    said = run("ack", ledger, file, "--study", STUDY)
    assert said.startswith("Report 1: REJECTED: rule 12\nNothing is recorded")
    assert len(read_facts(ledger)) == before


def test_a_rejection_is_recorded_once_and_opens_the_task_again(
    desk: Desk, ledger: str, tmp_path: Path
) -> None:
    copy = tmp_path / "ledger.db"
    copy.write_bytes(Path(ledger).read_bytes())
    file = answer(desk, tmp_path / "answer.xml", "CR")
    for by, said in ((INVESTIGATOR.id, "is none of safety_officer"), ("nobody", "no person with this id")):
        assert said in run("ack", str(copy), file, "--study", STUDY, "--by", by, code=2)
    assert read_facts(str(copy)) == read_facts(ledger)
    said = run("ack", str(copy), file, "--study", STUDY, "--by", SAFETY_OFFICER.id)
    number = desk.state.safety.reports[0].clock
    assert f"Clock {number} is open again; it is due" in said
    assert "late by" in said  # the clock ran on
    state = fold(read_facts(str(copy)))
    report, clock = state.safety.reports[0], state.safety.clocks[number - 1]
    assert (report.accepted, report.detail, clock.stopped_at) == (False, "rule 12", None)
    assert clock.due_at == desk.state.safety.clocks[number - 1].due_at
    again = run("ack", str(copy), file, "--study", STUDY, "--by", SAFETY_OFFICER.id, code=2)
    assert "report 1 is rejected since" in again
    assert [one.holds for one in verify_ledger(str(copy))] == [True]


def test_an_acceptance_is_recorded_and_a_file_of_others_is_not(
    desk: Desk, ledger: str, tmp_path: Path
) -> None:
    copy, xml = tmp_path / "ledger.db", tmp_path / "answer.xml"
    copy.write_bytes(Path(ledger).read_bytes())
    options = ("--study", STUDY, "--by", SAFETY_OFFICER.id)
    wrong = answer(desk, xml, "CA", batch="OTHER-1")
    assert "no report was sent in batch OTHER-1" in run("ack", str(copy), wrong, *options, code=2)
    xml.write_text("<a/>", encoding="utf-8")
    assert "no MCCI_IN200101UV01 message" in run("ack", str(copy), str(xml), *options, code=2)
    missing = tmp_path / "none.xml"
    assert run("ack", str(copy), str(missing), *options, code=2) == f"{missing}: no such file or directory\n"
    assert read_facts(str(copy)) == read_facts(ledger)
    told = json.loads(run("ack", str(copy), answer(desk, xml, "CA", "AA"), *options, "--json"))
    assert (told["recorded"], told["accepted"], told["reopened"]) == (True, True, [])
    assert told["answered_at"] == "2020-02-03T04:05:06+00:00"
    assert told["content_hash"] == sha256(xml.read_bytes()).hexdigest()
    assert fold(read_facts(str(copy))).safety.reports[0].accepted is True


def test_the_yearly_report_is_a_page_and_its_tables(ledger: str, tmp_path: Path) -> None:
    out = tmp_path / "dsur"
    run("dsur", ledger, "--study", STUDY, "--lock-point", "2020-10-13", "--out", str(out))
    page = (out / "dsur.html").read_text(encoding="utf-8")
    assert "14 Oct 2019 to 13 Oct 2020" in page
    assert "12 Dec 2020" in page  # 60 days
    assert "Pneumonitis" in (out / "reactions.csv").read_text(encoding="utf-8")
    assert "in the interval\n001,1,2020-01-20," in (out / "deaths.csv").read_text(encoding="utf-8")
    pack = json.loads((out / "pack.json").read_text(encoding="utf-8"))
    for name, pinned in pack["sha256"].items():
        assert sha256((out / name).read_bytes()).hexdigest() == pinned
    assert {*pack["sha256"], "pack.json"} == {path.name for path in out.iterdir()}
    wrong = ("dsur", ledger, "--study", STUDY, "--out", str(tmp_path / "no"), "--lock-point")
    assert "before the development birth date" in run(*wrong, "2018-01-01", code=2)
    assert "right is a day" in run(*wrong, "soon", code=2)
    assert not (tmp_path / "no").exists()
    assert "right is dsur or annual-report" in run(*wrong, "2020-10-13", "--layout", "x", code=2)


def test_the_annual_report_has_its_own_headings_and_the_same_data(ledger: str, tmp_path: Path) -> None:
    options = ("dsur", ledger, "--study", STUDY, "--lock-point", "2020-10-13", "--out")
    run(*options, str(tmp_path / "us"), "--layout", "annual-report")
    run(*options, str(tmp_path / "ich"))
    page = (tmp_path / "us" / "annual-report.html").read_text(encoding="utf-8")
    assert "21 CFR 312.33" in page
    assert "EU: " not in page
    tables = [path.name for path in (tmp_path / "us").glob("*.csv")]
    assert tables
    for name in tables:
        assert (tmp_path / "us" / name).read_bytes() == (tmp_path / "ich" / name).read_bytes()


def test_the_calendar_shows_each_lock_point_and_its_report(ledger: str) -> None:
    told = json.loads(run("calendar", ledger, "--study", STUDY, "--at", "2021-10-20T00:00Z", "--json"))
    rows = [(row["period"], row["lock_point"], row["status"]) for row in told["periods"]]
    assert rows == [
        (None, "2020-01-06", "cut, to send, late"),  # recorded apart from the calendar, sent to one authority
        (1, "2020-10-13", "not cut, late"),
        (2, "2021-10-13", "to cut"),
        (3, "2022-10-13", "runs"),
    ]
    assert told["periods"][1]["due"] == {"EU": "2020-12-12", "US": "2020-12-12"}
    table = run("calendar", ledger, "--study", STUDY, "--at", "2021-10-20T00:00Z")
    assert "EU 12 Dec 2021, US 12 Dec 2021" in table


def test_reports_are_sent_read_and_answered_at_the_terminal(desk: Desk, ledger: str, tmp_path: Path) -> None:
    copy, file = str(tmp_path / "ledger.db"), tmp_path / "report.xml"
    Path(copy).write_bytes(Path(ledger).read_bytes())
    file.write_text("sent", encoding="utf-8")
    by = ("--by", SAFETY_OFFICER.id)
    breach = ("matter", copy, "--kind", "serious_breach", "--summary", "no consent form", *by, "--at")
    assert "right is a moment" in run(*breach, "yesterday", code=2)
    assert "has no time zone" in run(*breach, "2026-01-05T10:00", code=2)
    assert "due 12 Jan 2026 22:59 UTC" in run(*breach, "2026-01-05T10:00Z")
    clock = fold(read_facts(copy)).safety.clocks[-1].number
    sent = ("submit", copy, "--clock", str(clock), "--file", str(file), "--receiver", "CTIS", *by)
    assert "a late report needs a reason" in run(*sent, code=2)
    assert sha256(b"sent").hexdigest() in run(*sent, "--late-reason", "found by an audit")
    number = str(len(fold(read_facts(copy)).safety.reports))
    ethics = "committee:Central"
    run("distribute", copy, "--report", number, "--to", INVESTIGATOR.id, "--to", ethics, *by)
    assert "cannot confirm for" in run(
        "read", copy, "--report", number, "--for", INVESTIGATOR.id, *by, code=2
    )
    run("read", copy, "--report", number, "--for", ethics, *by)
    row = json.loads(run("reports", copy, "--json"))["reports"][-1]
    assert (row["late"], row["unread"], list(row["read"])) == (True, [INVESTIGATOR.id], [ethics])
    run("read", copy, "--report", number, "--by", INVESTIGATOR.id)
    assert "4 sent, 4 without an answer, 0 not read by all" in run("reports", copy)
    run("matter", copy, "--kind", "dsur", "--summary", "year 1", "--at", "2020-10-13", *by)
    moment = fold(read_facts(copy)).safety.matters[-1].happened_at
    assert moment.astimezone(UTC).isoformat() == "2020-10-13T21:59:59+00:00"
    assert verify_ledger(copy)[0].holds


def test_no_report_is_a_sentence() -> None:
    assert render_reports([]) == "No report has been sent.\n"
