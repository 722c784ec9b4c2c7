"""Long files (one row an answer) and rows of repeating groups: gathered into records, converted, named if wrong."""

from typing import Any

import pytest

from escalon.conduct import commands as c
from escalon.conduct.capture import commands as cap
from escalon.conduct.capture import events as ev
from escalon.conduct.capture.import_plan import Agreement, compare
from escalon.protocol import StudyFolder
from tests.act import COORDINATOR, Desk, enrol, opened
from tests.import_study import LONG_HEAD, WIDE_HEAD, import_study

PANEL = (
    "001,ZZ,S1,D28,2020-01-07,HB,,9.1,g/dl\n"
    "001,ZZ,S1,D28,2020-01-07,TBIL,,2,mg/dl\n"
    "001,ZZ,S1,D28,2020-01-07,CELLS,,0.012,G/l\n"
    "001,ZZ,S1,D28,2020-01-07,CULT,,neg,\n"
)
DRUGS = "001,ZZ,S1,D28,2020-01-07,DRUG,1,Tocilizumab,\n001,ZZ,S1,D28,2020-01-07,DAYS,1,3,\n"
MORE = "001,ZZ,S1,D28,2020-01-07,DRUG,2,Siltuximab,\n"


@pytest.fixture(scope="module")
def folder() -> StudyFolder:
    return import_study()


@pytest.fixture
def desk(folder: StudyFolder) -> Desk:
    desk = opened(folder)
    enrol(desk, "001")
    return desk


def bring(desk: Desk, mapping: str, text: str, reason: str = "") -> tuple[Any, ...]:
    (staged,) = desk.must(COORDINATOR, cap.StageImport("file.csv", mapping, text))
    assert isinstance(staged, ev.ImportStaged)
    return desk.must(COORDINATOR, cap.ApplyImport(staged.number, text, reason))


def entered(desk: Desk, record: str = "ZZ-S1") -> dict[str, Any]:
    return desk.state.patients["001"].records[record].entered


def refusal(desk: Desk, mapping: str, text: str) -> str:
    before = desk.state
    refused = desk.refused(COORDINATOR, cap.StageImport("file.csv", mapping, text))
    assert refused.rule == "DC-7 fields"
    assert desk.state is before
    return refused.reason


def test_the_rows_of_a_long_file_become_one_record_in_the_units_of_the_form(desk: Desk) -> None:
    done = bring(desk, "z-long", LONG_HEAD + PANEL + DRUGS + MORE)
    assert entered(desk) == {
        "ZZDTC": "2020-01-07",
        "HGB": 91.0,
        "BILI": 34.2,
        "COUNT": 12,
        "RESULT": "NEGATIVE",
        "DRUGS": [{"DRUG": "Tocilizumab", "DAYS": 3}, {"DRUG": "Siltuximab"}],
    }
    applied = done[-1]
    assert applied.counts == ev.ImportCounts(1, 1, 0, 0, lines=7)
    assert desk.state.patients["001"].records["ZZ-S1"].visit == "D28"


def test_a_long_file_changes_what_it_speaks_of_and_empties_what_it_leaves_blank(desk: Desk) -> None:
    bring(desk, "z-long", LONG_HEAD + PANEL + DRUGS + MORE)
    noted = {**entered(desk), "NOTE": "hemolytic"}
    desk.must(COORDINATOR, c.RecordForm("001", "ZZ", "ZZ-S1", noted, "D28", reason="seen in the chart"))
    correction = "001,ZZ,S1,D28,2020-01-07,HB,,not done,\n001,ZZ,S1,D28,2020-01-07,TBIL,,,umol\n"
    bring(desk, "z-long", LONG_HEAD + correction, "corrected report")
    now = entered(desk)
    assert (now["HGB"], "BILI" in now, now["COUNT"], now["NOTE"]) == (
        {"missing": "ND"},
        False,
        12,
        "hemolytic",
    )
    assert len(now["DRUGS"]) == 2
    other = LONG_HEAD + DRUGS.replace("Tocilizumab", "Anakinra")
    bring(desk, "z-long", other, "corrected report")
    assert entered(desk)["DRUGS"] == [{"DRUG": "Anakinra", "DAYS": 3}]
    same = desk.refused(COORDINATOR, cap.StageImport("x.csv", "z-long", other + "\n"))
    assert (same.rule, "as it stands" in same.reason) == ("DC-7 file", True)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("001,ZZ,S1,D28,2020-01-07,HB\n", "line 8: 6 cells; the header has 9"),
        ("001,VS,S2,,2020-01-08,HB,,9,g/dl\n", "line 8, column FORM: 'VS' is not ZZ, the form of the mapping"),
        ("001,ZZ,S2,,2020-01-08,HBA1C,,9,%\n", "line 8, column TEST: 'HBA1C' is none of HB, TBIL, CELLS"),
        ("001,ZZ,S2,,2020-01-08,HB,,9,mmol/l\n", "line 8, column UNIT: the unit 'mmol/l' is none of g/dl, g/l"),
        ("001,ZZ,S2,,2020-01-08,HB,,9,\n", "line 8, column UNIT: the unit '' is none of g/dl, g/l"),
        ("001,ZZ,S2,,2020-01-08,HB,,900,g/l\n", "line 8, column RESULT: ZZ.HGB (Hemoglobin): 900.0 lies outside"),
        ("001,ZZ,S2,,2020-01-08,CELLS,,1.5,/ul\n", "line 8, column RESULT: ZZ.COUNT (Cells): needs a whole number"),
        ("001,ZZ,S2,,2020-01-08,CULT,,maybe,\n", "line 8, column RESULT: ZZ.RESULT (Result): needs one of POSITIVE"),
        ("001,ZZ,S2,,,HB,,9,g/dl\n", "line 8, column COLLECTED: ZZ.ZZDTC (Date): a value is required"),
        ("001,ZZ,S2,,2020-01-08,HB,1,9,g/dl\n", "line 8, column ROW: HGB stands in no group; leave the row empty"),
        ("001,ZZ,S2,,2020-01-08,DRUG,,A,\n", "line 8, column ROW: '' is no row of DRUGS; rows count 1, 2, ..."),
        ("001,ZZ,S2,,2020-01-08,DRUG,0,A,\n", "line 8, column ROW: '0' is no row of DRUGS"),
        ("001,ZZ,S2,,2020-01-08,DRUG,2,A,\n", "line 8: the rows of DRUGS are 2; they count 1, 2, ... without gaps"),
        ("001,ZZ,S2,,2020-01-08,DAYS,1,3,\n", "line 8: ZZ.DRUGS[1].DRUG (Drug): a value is required"),
        ("001,ZZ,S1,D28,2020-01-07,DAYS,2,99,\n", "line 8, column RESULT: ZZ.DRUGS[2].DAYS (Days): 99 lies outside"),
        ("001,ZZ,S1,D28,2020-01-07,HB,,9.1,g/dl\n", "line 8, column TEST: HB of ZZ-S1 of 001 stands on line 2 already"),
        ("001,ZZ,S1,D28,2020-01-07,DRUG,1,B,\n", "line 8, column TEST: DRUG of ZZ-S1 of 001 stands on line 6 already"),
        ("001,ZZ,S1,D14,2020-01-07,DAYS,2,4,\n", "line 8, column VISIT: 'D14' differs from line 2"),
        ("001,ZZ,S1,D28,2020-01-09,DAYS,2,4,\n", "line 8, column COLLECTED: '2020-01-09' differs from line 2"),
        ("001,ZZ,,,2020-01-08,HB,,9,g/dl\n", "line 8, column SAMPLE: is empty"),
        ("009,ZZ,S1,,2020-01-08,HB,,9,g/dl\n", "line 8, column SUBJECT: there is no patient 009 (patient)"),
    ],
)  # fmt: skip
def test_a_bad_row_of_a_long_file_is_named_and_nothing_is_written(desk: Desk, row: str, words: str) -> None:
    assert words in refusal(desk, "z-long", LONG_HEAD + PANEL + DRUGS + row)


def test_the_rows_of_a_wide_file_become_the_rows_of_a_group(desk: Desk) -> None:
    text = (
        WIDE_HEAD + "001,S1,2020-01-07,9.1,Tocilizumab,3\n001,S2,2020-01-08,,Anakinra,\n"
        "001,S1,2020-01-07,9.1,Siltuximab,\n"
    )
    done = bring(desk, "z-wide", text)
    assert done[-1].counts == ev.ImportCounts(2, 2, 0, 0, lines=3)
    rows = [{"DRUG": "Tocilizumab", "DAYS": 3}, {"DRUG": "Siltuximab"}]
    assert entered(desk) == {"ZZDTC": "2020-01-07", "HGB": 91.0, "DRUGS": rows}
    assert entered(desk, "ZZ-S2")["DRUGS"] == [{"DRUG": "Anakinra"}]
    desk.must(COORDINATOR, cap.RollbackImport(1, "wrong file"))
    assert desk.state.patients["001"].forms("ZZ") == ()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("001,S1,2020-01-07,9.1,A,3\n", "line 3, column SAMPLE: ZZ-S1 of 001 stands on line 2 already"),
        ("001,S1,2020-01-08,9.1,B,3\n", "line 3, column COLLECTED: '2020-01-08' differs from line 2"),
        ("001,S1,2020-01-07,,B,3\n", "line 3, column HB_G_DL: None differs from line 2"),
        ("001,S1,2020-01-07,9.1,B,31\n", "line 3, column DAYS: ZZ.DRUGS[2].DAYS (Days): 31 lies outside"),
        ("001,S1,2020-01-07,9.1,,2\n", "line 3, column DRUG: ZZ.DRUGS[2].DRUG (Drug): a value is required"),
        ("".join(f"001,S1,2020-01-07,9.1,{name},2\n" for name in "BCD"), "ZZ.DRUGS (Drugs): needs 0 to 3 rows"),
    ],
)  # fmt: skip
def test_a_bad_row_of_a_group_is_named(desk: Desk, row: str, words: str) -> None:
    assert words in refusal(desk, "z-wide", WIDE_HEAD + "001,S1,2020-01-07,9.1,A,3\n" + row)


def test_problems_are_told_in_the_order_of_the_lines(desk: Desk) -> None:
    text = LONG_HEAD + PANEL.replace("9.1", "x") + "001,ZZ\n" + DRUGS.replace(",1,3,", ",1,x,")
    told = refusal(desk, "z-long", text).split("; line")
    assert [int(one.removeprefix("line ").split(",")[0].split(":")[0]) for one in told] == [2, 6, 8]


def test_rows_of_a_group_stand_in_their_order_whatever_the_order_of_the_file(desk: Desk) -> None:
    bring(desk, "z-long", LONG_HEAD + MORE + DRUGS)
    assert [row["DRUG"] for row in entered(desk)["DRUGS"]] == ["Tocilizumab", "Siltuximab"]


def test_a_converted_number_is_the_number_a_person_would_write(desk: Desk) -> None:
    bring(desk, "z-long", LONG_HEAD + "001,ZZ,S1,D28,2020-01-07,TBIL,,0.1,mg/dl\n")
    assert 0.1 * 17.1 != 1.71
    assert entered(desk)["BILI"] == 1.71


def test_a_file_staged_twice_is_applied_once_even_when_a_record_changed_since(desk: Desk) -> None:
    text = LONG_HEAD + PANEL
    for _ in range(2):
        desk.must(COORDINATOR, cap.StageImport("file.csv", "z-long", text))
    desk.must(COORDINATOR, cap.ApplyImport(1, text))
    desk.must(
        COORDINATOR, c.RecordForm("001", "ZZ", "ZZ-S1", {**entered(desk), "HGB": 92}, "D28", "from paper")
    )
    refused = desk.refused(COORDINATOR, cap.ApplyImport(2, text, "again"))
    assert (refused.rule, refused.reason) == ("DC-7 file", "this file was imported already")


def test_a_file_is_compared_with_the_records(desk: Desk) -> None:
    text = LONG_HEAD + PANEL
    rules = next(one for one in desk.folder.conduct.capture.imports if one.id == "z-long")
    assert len(compare(desk.state, desk.folder, rules, text).differing) == 5
    bring(desk, "z-long", text)
    assert compare(desk.state, desk.folder, rules, text) == Agreement(5, ())
    desk.must(
        COORDINATOR, c.RecordForm("001", "ZZ", "ZZ-S1", {**entered(desk), "HGB": 92}, "D28", "from paper")
    )
    assert compare(desk.state, desk.folder, rules, text) == Agreement(5, (("001", "ZZ-S1", "HGB"),))
