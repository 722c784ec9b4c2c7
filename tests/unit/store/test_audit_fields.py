"""AT-2, field by field: what the rows of the ledger say about one change of a form, read without this software."""

import json
from typing import Any

import pytest

from escalon import __version__
from escalon.conduct import commands as c
from escalon.protocol import StudyFolder, load_study
from escalon.store.connection import LedgerUnavailable
from escalon.store.execute import LedgerWriter
from tests import act
from tests.databases import ask
from tests.study_files import balli_files

ITEMS = """\
  - {name: NOTE, label: Note, type: text, required: false}
  - {name: PULSE, label: Pulse, type: number, required: false, unit: /min, range: [0, 300], missing: [ND]}
groups:
  - group: READINGS
    label: Readings
    min_rows: 0
    max_rows: 5
    items:
      - {name: SYSBP, label: Systolic, type: number, required: false, unit: 'mm[Hg]', range: [0, 300], missing: [ND]}
"""
FIRST = {
    "WEIGHT": 70,
    "NOTE": "none",
    "PULSE": None,
    "READINGS": [{"SYSBP": 120}, {"SYSBP": {"missing": "ND"}}],
}
THEN = {"WEIGHT": 71.5, "NOTE": None, "PULSE": {"missing": "ND"}, "READINGS": [{"SYSBP": 120}, {"SYSBP": 0}]}
COLUMNS = """study_id, seq, kind, object_ref, site, actor_id, actor_name, role, org, at, tz, context,
    commit_old, commit_new, commit_reason"""


@pytest.fixture(scope="module")
def folder() -> StudyFolder:
    files = balli_files()
    text = files["forms/vs.yaml"].replace("checks:\n", ITEMS + "checks:\n")
    return load_study({**files, "forms/vs.yaml": text})


@pytest.fixture(scope="module")
def changed(folder: StudyFolder) -> act.Desk:
    """Vital signs of patient 001 recorded at a visit, then changed with a reason."""
    desk = act.opened(folder)
    act.enrol(desk, "001")
    moment = {"VSDTC": desk.now.isoformat()}
    desk.must(act.COORDINATOR, c.RecordForm("001", "VS", "VS-1", {**moment, **FIRST}, "D28"))
    again = c.RecordForm("001", "VS", "VS-1", {**moment, **THEN}, "D28", "misread from the chart")
    desk.must(act.COORDINATOR, again)
    return desk


def written(url: str, folder: StudyFolder, desk: act.Desk) -> None:
    with LedgerWriter(url, folder, origin="ui") as writer:
        for signed in desk.sent[:-1]:
            assert not isinstance(writer.execute(signed), c.Refused)
        assert not isinstance(writer.execute(desk.sent[-1], request="request-9"), c.Refused)


def rows(url: str, where: str) -> list[dict[str, Any]]:
    names = COLUMNS.replace("\n", " ").replace(" ", "").split(",")
    found = ask(url, f"SELECT {COLUMNS} FROM ledger_event WHERE {where} ORDER BY seq")
    return [dict(zip(names, row, strict=True)) for row in found]


def value(url: str, commitment: str, side: str) -> Any:
    """What the ledger holds behind a commitment."""
    column = "commit_new" if side == "new" else "commit_reason"
    ((text,),) = ask(
        url,
        "SELECT v.value FROM ledger_event e JOIN ledger_value v ON v.study_id = e.study_id AND v.seq = e.seq"
        f" WHERE e.{column} = ? AND v.side = ?",
        commitment,
        side,
    )
    return json.loads(text)


def test_every_field_of_a_changed_form_is_in_the_ledger(
    url: str, folder: StudyFolder, changed: act.Desk
) -> None:
    written(url, folder, changed)
    first, then = rows(url, "object_ref = 'form:001:VS-1' AND kind = 'FormRecorded'")
    person = changed.state.people.persons[act.COORDINATOR.id]
    assert (then["study_id"], then["seq"]) == ("BALLI-01", changed.facts[-1].seq)  # event id, study
    assert then["kind"] == "FormRecorded"  # action
    assert then["object_ref"] == "form:001:VS-1"  # subject, record
    assert then["site"] == "01"
    assert (then["actor_id"], then["actor_name"]) == ("co", "Coordinator")  # user id, printed name
    assert (then["role"], then["org"]) == ("coordinator", person.organisation)
    assert then["at"] == changed.now.isoformat(timespec="microseconds")
    assert then["at"].endswith("+00:00")
    assert then["tz"] == "America/New_York"
    assert json.loads(then["context"]) == {
        "origin": "ui",
        "request": "request-9",
        "software": __version__,
        "study": folder.hash,  # protocol and forms
    }
    assert value(url, then["commit_reason"], "reason") == "misread from the chart"
    new, old = value(url, then["commit_new"], "new"), value(url, then["commit_old"], "new")
    assert then["commit_old"] == first["commit_new"]
    assert first["commit_old"] == ""
    for said, version, answers in ((old, 1, FIRST), (new, 2, THEN)):
        assert {key: said[key] for key in ("patient", "form", "record", "version", "visit")} == {
            "patient": "001",
            "form": "VS",
            "record": "VS-1",  # instance
            "version": version,
            "visit": "D28",
        }
        for item, answer in answers.items():  # items, rows of a group by their place
            assert said["values"][item] == answer
            assert type(said["values"][item]) is type(answer)


def test_null_text_zero_and_missing_differ_in_what_is_hashed(
    url: str, folder: StudyFolder, changed: act.Desk
) -> None:
    written(url, folder, changed)
    said = "SELECT v.value FROM ledger_value v WHERE v.value LIKE ? ORDER BY v.seq LIMIT 2"
    (before,), (after,) = ask(url, said, "%VS-1%")
    assert '"NOTE":"none"' in before
    assert '"NOTE":null' in after
    assert '"PULSE":null' in before
    assert '"PULSE":{"missing":"ND"}' in after
    assert '{"SYSBP":{"missing":"ND"}}' in before
    assert '{"SYSBP":0}' in after
    empty = {"VSDTC": changed.now.isoformat(), "WEIGHT": 70, "NOTE": ""}
    refused = changed.refused(act.COORDINATOR, c.RecordForm("001", "VS", "VS-2", empty))
    assert refused == c.Refused("form-check", "VS.NOTE (Note): needs a text")  # so "" is never taken for null


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_a_ledger_is_written_at_read_committed_only(
    url: str, folder: StudyFolder, changed: act.Desk, level: str
) -> None:
    """At a stricter level the head read after the lock would be the one before it."""
    written(url, folder, changed)
    events = ask(url, "SELECT count(*) FROM ledger_event")
    name = url.rsplit("/", 1)[1]
    ask(url, f"ALTER DATABASE {name} SET default_transaction_isolation TO '{level}'")
    with LedgerWriter(url, folder) as writer:
        values = {"VSDTC": changed.now.isoformat(), "WEIGHT": 70}
        signed = c.Signed(c.RecordForm("001", "VS", "VS-2", values), act.COORDINATOR, changed.now)
        with pytest.raises(LedgerUnavailable, match=f"read committed, not {level}"):
            writer.execute(signed)
        assert writer.state.seq == changed.state.seq
    assert ask(url, "SELECT count(*) FROM ledger_event") == events
    ask(url, f"ALTER DATABASE {name} RESET default_transaction_isolation")
    with LedgerWriter(url, folder) as writer:
        assert not isinstance(writer.execute(signed), c.Refused)
