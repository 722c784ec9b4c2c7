"""Import of a file as one unit (DC-7): checked by line and column, all rows or none, taken back as a whole."""

from typing import Any

import pytest

from escalon.conduct import commands as c
from escalon.conduct.capture import commands as cap
from escalon.conduct.capture import events as ev
from escalon.conduct.capture.audit import audit_trail
from escalon.conduct.capture.import_plan import checksum
from escalon.conduct.capture.marks import marks_on
from escalon.conduct.capture.queries import open_queries
from escalon.conduct.events import FormRecorded
from escalon.conduct.people.events import SignatureInvalidated
from escalon.protocol import StudyFolder, load_study
from tests.act import COORDINATOR, COORDINATOR_2, CRA, DATA_MANAGER, Desk, enrol, opened, sign_casebooks
from tests.study_files import balli_files

HEAD = "SUBJECT,SAMPLE,VISIT,COLLECTED,COUNT_UNIT,NEUT,PLAT,LYM,WBC,ALT_U_L,AST_U_L,BILI_UMOL_L\n"
FIRST = "001,A1,,2020-01-07T08:00:00+00:00,/uL,1200,90000,300,2000,30,25,10\n"
SECOND = "001,A2,,2020-01-08T08:00:00+00:00,10^9/L,1.4,80,0.3,2.1,31,,not done\n"


@pytest.fixture
def desk(balli: StudyFolder) -> Desk:
    desk = opened(balli)
    enrol(desk, "001")
    return desk


def stage(desk: Desk, text: str, actor: c.Actor = COORDINATOR) -> ev.ImportStaged:
    (staged,) = desk.must(actor, cap.StageImport("labs.csv", "site-laboratory", text))
    assert isinstance(staged, ev.ImportStaged)
    return staged


def apply(desk: Desk, text: str, reason: str = "") -> tuple[Any, ...]:
    return desk.must(COORDINATOR, cap.ApplyImport(stage(desk, text).number, text, reason))


def test_rows_become_versions_of_one_act_in_the_unit_of_the_form(desk: Desk) -> None:
    staged = stage(desk, HEAD + FIRST + "\n" + SECOND)
    assert (staged.checksum, staged.counts) == (
        checksum(HEAD + FIRST + "\n" + SECOND),
        ev.ImportCounts(2, 2, 0, 0, lines=2),
    )
    assert desk.state.patients["001"].records == {}
    done = desk.must(COORDINATOR, cap.ApplyImport(1, HEAD + FIRST + "\n" + SECOND))
    assert [type(event).__name__ for event in done] == ["FormRecorded", "FormRecorded", "ImportApplied"]
    assert {event.origin for event in done if isinstance(event, FormRecorded)} == {"import"}
    first, second = desk.state.patients["001"].forms("LB")
    assert (first.record, first.values["NEUT"], first.values["PLAT"], first.reason) == (
        "LB-A1",
        1.2,
        90,
        None,
    )
    assert second.entered["BILI"] == {"missing": "ND"}
    assert "AST" not in second.entered
    assert desk.state.capture.imports[0].records == (("001", "LB-A1", 1), ("001", "LB-A2", 1))
    again = cap.StageImport("copy.csv", "site-laboratory", HEAD + FIRST + "\n" + SECOND)
    assert desk.refused(COORDINATOR, again).rule == "DC-7 file"
    assert desk.refused(COORDINATOR, cap.ApplyImport(1, HEAD + FIRST)).rule == "DC-7 applied"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (FIRST.replace("1200", "many"), "NEUT: LB.NEUT (Neutrophils): needs a finite number; got 'many'"),
        (FIRST.replace("1200", "1_200"), "line 3, column NEUT"),
        (FIRST.replace("1200", "nan"), "line 3, column NEUT"),
        (FIRST.replace(",30,", ",30000,"), "line 3, column ALT_U_L: LB.ALT (Alanine aminotransferase): 30000"),
        (FIRST.replace("2020-01-07T08:00:00+00:00", ""), "line 3, column COLLECTED: LB.LBDTC (Collected): a value is"),
        (FIRST.replace("/uL", "G/L"), "line 3, column COUNT_UNIT: the unit 'G/L' is none of 10^9/L, /uL"),
        (FIRST.replace("001,", "009,"), "line 3, column SUBJECT: there is no patient 009 (patient)"),
        (FIRST.replace("A1,,", "A1,D99,"), "line 3, column VISIT: the study has no visit D99 (visit)"),
        (FIRST.replace("A1", "A2"), "line 3, column SAMPLE: LB-A2 of 001 stands on line 2 already"),
        (FIRST.replace("A1", ""), "line 3, column SAMPLE: is empty"),
        (FIRST.replace(",10\n", "\n"), "line 3: 11 cells; the header has 12"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_by_line_and_column_and_nothing_is_written(
    desk: Desk, row: str, words: str
) -> None:
    before = desk.state
    refused = desk.refused(COORDINATOR, cap.StageImport("labs.csv", "site-laboratory", HEAD + SECOND + row))
    assert refused.rule == "DC-7 fields"
    assert words in refused.reason
    assert desk.state is before


@pytest.mark.parametrize(
    ("text", "rule", "words"),
    [
        (HEAD, "DC-7 fields", "line 1: the file has no rows"),
        ("", "DC-7 fields", "line 1: the column SUBJECT is missing"),
        (HEAD.replace("LYM", "WBC") + FIRST, "DC-7 fields", "line 1, column WBC: stands twice"),
        (HEAD.replace("ALT_U_L", "ALT") + FIRST, "DC-7 fields", "line 1: the column ALT_U_L is missing"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(desk: Desk, text: str, rule: str, words: str) -> None:
    refused = desk.refused(COORDINATOR, cap.StageImport("x.csv", "site-laboratory", text))
    assert (refused.rule, words in refused.reason) == (rule, True), refused.reason
    assert desk.refused(COORDINATOR, cap.StageImport("x.csv", "other", text)).rule == "DC-7 mapping"


def test_the_file_applied_is_the_one_staged_and_is_checked_again(desk: Desk) -> None:
    stage(desk, HEAD + FIRST)
    assert desk.refused(COORDINATOR, cap.ApplyImport(1, HEAD + SECOND)).rule == "DC-7 checksum"
    assert desk.refused(COORDINATOR, cap.ApplyImport(2, HEAD + FIRST)).rule == "DC-7 import"
    apply(desk, HEAD + SECOND)
    desk.must(CRA, cap.FreezeRecords("001", (), "interim"))
    desk.must(COORDINATOR, cap.ApplyImport(1, HEAD + FIRST))
    desk.must(CRA, cap.FreezeRecords("001", (), "interim"))
    changed = HEAD + FIRST.replace(",30,", ",33,")
    frozen = desk.refused(COORDINATOR, cap.StageImport("x.csv", "site-laboratory", changed))
    assert "record LB-A1 of patient 001 is frozen (DC-8 frozen)" in frozen.reason


def test_who_imports_acts_at_the_own_site_and_for_the_own_side(desk: Desk) -> None:
    command = cap.StageImport("labs.csv", "site-laboratory", HEAD + FIRST)
    assert "belongs to site 01 (site)" in desk.refused(COORDINATOR_2, command).reason
    assert "(DC-4 owner)" in desk.refused(DATA_MANAGER, command).reason
    assert desk.refused(CRA, command).rule == "role"


def test_the_sponsor_imports_what_it_owns_and_nobody_else() -> None:
    files = balli_files()
    files["forms/lb.yaml"] = files["forms/lb.yaml"].replace("owner: site", "owner: sponsor")
    desk = opened(load_study(files))
    enrol(desk, "001")
    command = cap.StageImport("labs.csv", "site-laboratory", HEAD + FIRST)
    assert "(DC-4 owner)" in desk.refused(COORDINATOR, command).reason
    desk.must(DATA_MANAGER, command)
    desk.must(DATA_MANAGER, cap.ApplyImport(1, HEAD + FIRST))
    assert desk.refused(COORDINATOR, cap.RollbackImport(1, "no")).rule == "DC-4 owner"
    desk.must(DATA_MANAGER, cap.RollbackImport(1, "wrong run"))


def test_a_change_needs_a_reason_keeps_what_the_file_is_silent_on_and_counts_what_stays(desk: Desk) -> None:
    apply(desk, HEAD + FIRST + SECOND)
    known = desk.state.patients["001"].records["LB-A1"]
    more = {**known.entered, "HGB": 90}
    desk.must(COORDINATOR, c.RecordForm("001", "LB", "LB-A1", more, reason="from the chart"))
    corrected = HEAD + FIRST.replace(",30,", ",33,") + SECOND
    staged = stage(desk, corrected)
    assert staged.counts == ev.ImportCounts(2, 0, 1, 1, lines=2)
    refused = desk.refused(COORDINATOR, cap.ApplyImport(staged.number, corrected))
    assert "line 2, column SAMPLE: a change of a recorded form needs a reason (reason)" in refused.reason
    done = desk.must(COORDINATOR, cap.ApplyImport(staged.number, corrected, "corrected report"))
    assert len([event for event in done if isinstance(event, FormRecorded)]) == 1
    now = desk.state.patients["001"].records["LB-A1"]
    assert (now.version, now.values["ALT"], now.values["HGB"], now.reason) == (3, 33, 90, "corrected report")
    assert (
        desk.refused(COORDINATOR, cap.StageImport("x", "site-laboratory", corrected + "\n")).rule
        == "DC-7 file"
    )


def test_an_import_is_taken_back_as_a_whole_and_stays_readable(desk: Desk) -> None:
    apply(desk, HEAD + FIRST)
    desk.must(CRA, cap.VerifySource("001", "LB-A1"))
    sign_casebooks(desk)
    wrong = HEAD + FIRST.replace(",1200,", ",3000,") + SECOND.replace("1.4", "9")
    applied = apply(desk, wrong, "corrected report")
    voided = [event.signature for event in applied if isinstance(event, SignatureInvalidated)]
    assert len(voided) == len(set(voided)) == 1
    assert len(open_queries(desk.state, "001")) == 2
    assert desk.refused(COORDINATOR, cap.RollbackImport(2, " ")).rule == "reason"
    assert desk.refused(COORDINATOR_2, cap.RollbackImport(2, "x")).rule == "site"
    desk.must(COORDINATOR, cap.RollbackImport(2, "file of another patient"))
    assert open_queries(desk.state, "001") == ()
    (left,) = desk.state.patients["001"].forms("LB")
    gone = desk.state.patients["001"].records["LB-A2"]
    assert (left.version, left.values["NEUT"], left.origin) == (3, 1.2, "rollback")
    assert (gone.withdrawn, gone.version, gone.before and gone.before.values["NEUT"]) == (True, 2, 9)
    assert "NEUT" not in marks_on(desk.state, "001", "LB-A1").verified
    steps = audit_trail(desk.state, "001", "LB-A1", "NEUT")
    assert [step.new.value for step in steps] == [1.2, 3.0, 1.2]
    assert steps[-1].reason == "file of another patient"
    assert desk.refused(COORDINATOR, cap.RollbackImport(2, "again")).rule == "DC-7 applied"
    apply(desk, wrong, "it was right after all")
    assert [record.version for record in desk.state.patients["001"].forms("LB")] == [4, 3]


def test_a_record_changed_since_is_named_and_kept_or_nothing_is_taken_back(desk: Desk) -> None:
    apply(desk, HEAD + FIRST + SECOND)
    entered = desk.state.patients["001"].records["LB-A2"].entered
    desk.must(COORDINATOR, c.RecordForm("001", "LB", "LB-A2", {**entered, "ALT": 40}, reason="typo"))
    refused = desk.refused(COORDINATOR, cap.RollbackImport(1, "wrong file"))
    assert (refused.rule, "001:LB-A2" in refused.reason) == ("DC-7 changed since", True)
    assert (
        desk.refused(COORDINATOR, cap.RollbackImport(1, "x", ("001:LB-A1", "001:LB-A2"))).rule == refused.rule
    )
    done = desk.must(COORDINATOR, cap.RollbackImport(1, "wrong file", ("001:LB-A2",)))
    assert [event.record for event in done if isinstance(event, FormRecorded)] == ["LB-A1"]
    assert [record.record for record in desk.state.patients["001"].forms("LB")] == ["LB-A2"]
    desk.must(COORDINATOR, c.RecordForm("001", "LB", "LB-A1", entered, reason="from paper"))
    assert len(desk.state.patients["001"].forms("LB")) == 2


def test_a_frozen_record_is_not_taken_back(desk: Desk) -> None:
    apply(desk, HEAD + FIRST)
    desk.must(CRA, cap.FreezeRecords("001", (), "interim"))
    assert desk.refused(COORDINATOR, cap.RollbackImport(1, "wrong file")).rule == "DC-8 frozen"
