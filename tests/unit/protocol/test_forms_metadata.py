"""Skip logic, edit checks, groups, partial dates, missing codes, retired items, code lists, units."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalon.protocol import StudyFolderError, load_study
from escalon.protocol.forms import Form
from escalon.protocol.forms_conditions import Answers, Condition, holds
from escalon.protocol.forms_units import is_ucum
from escalon.protocol.forms_values import answered, is_partial_date, missing, missing_code, order
from tests.study_files import balli_files

HISTORY = Form.model_validate(
    {
        "form": "XH",
        "title": "History",
        "repeats": True,
        "items": [
            {
                "name": "KIND",
                "label": "Kind",
                "type": "choice",
                "choices": ["CRS", "OTHER"],
                "required": True,
            },
            {
                "name": "TEMP",
                "label": "Temperature",
                "type": "number",
                "unit": "Cel",
                "required": True,
                "missing": ["ND"],
                "only_if": {"item": "KIND", "is": ["CRS"]},
            },
            {"name": "START", "label": "Start", "type": "partial_date", "required": True, "critical": True},
            {"name": "END", "label": "End", "type": "partial_date", "required": False},
            {"name": "OLD", "label": "Asked once", "type": "text", "required": True, "retired": "2"},
        ],
        "groups": [
            {
                "group": "DRUGS",
                "label": "Drugs given",
                "min_rows": 1,
                "max_rows": 2,
                "items": [
                    {"name": "DRUG", "label": "Drug", "type": "text", "required": True},
                    {"name": "DAYS", "label": "Days", "type": "integer", "range": [1, 30], "required": False},
                    {
                        "name": "WHY",
                        "label": "Why so long",
                        "type": "text",
                        "required": True,
                        "only_if": {
                            "all": [{"item": "DAYS", "more_than": 14}, {"item": "KIND", "is": "OTHER"}]
                        },
                    },
                ],
            },
        ],
        "checks": [
            {
                "id": "XH-ORDER",
                "severity": "hard",
                "item": "END",
                "message": "the end lies before the start",
                "when": {"item": "END", "before": {"item": "START"}},
            },
            {
                "id": "XH-DAYS",
                "severity": "soft",
                "item": "DAYS",
                "group": "DRUGS",
                "message": "more than 20 days",
                "when": {"item": "DAYS", "more_than": 20},
            },
        ],
    }
)
FILLED: dict[str, Any] = {"KIND": "CRS", "TEMP": 39.1, "START": "2021-03", "DRUGS": [{"DRUG": "Tocilizumab"}]}


def problems(**changes: Any) -> list[str]:
    return HISTORY.check({**FILLED, **changes})


def test_a_filled_form_with_partial_date_and_group_is_acceptable() -> None:
    assert problems() == []
    assert HISTORY.critical_items(FILLED) == ("START",)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"KIND": "OTHER"}, "XH.TEMP (Temperature): only asked if KIND is CRS; leave it empty"),
        ({"TEMP": None}, "XH.TEMP (Temperature): a value is required"),
        ({"TEMP": missing("UNK")}, "needs an answer, or a missing code of ND"),
        ({"KIND": missing("UNK"), "TEMP": None}, "a missing code is not allowed here"),
        ({"START": missing("UNK")}, "a date that is UNK needs a reason"),
        ({"START": "2021-13"}, "as far as it is known"),
        ({"START": "2021-02-30"}, "as far as it is known"),
        ({"OLD": "yes"}, "not asked since version 2"),
        ({"DRUGS": []}, "needs 1 to 2 rows"),
        ({"DRUGS": "Tocilizumab"}, "needs a list of rows"),
        ({"DRUGS": [{"DRUG": "A", "DOSE": 1}]}, "XH.DRUGS[1].DOSE: the group has no such item"),
        ({"DRUGS": [{"DRUG": "A"}, {"DAYS": 3}]}, "XH.DRUGS[2].DRUG (Drug): a value is required"),
    ],
)
def test_each_problem_is_named(changes: dict[str, Any], words: str) -> None:
    assert len(problems(**changes)) == 1
    assert words in problems(**changes)[0]


def test_skip_logic_in_a_row_looks_at_the_row_and_the_record() -> None:
    rows = [{"DRUG": "A", "DAYS": 15}]
    assert problems(DRUGS=rows) == []
    (problem,) = problems(KIND="OTHER", TEMP=None, DRUGS=rows)
    assert problem == "XH.DRUGS[1].WHY (Why so long): a value is required"


def test_missing_codes_differ_from_no_answer_and_from_an_empty_text() -> None:
    assert problems(TEMP=missing("ND")) == []
    assert problems(START=missing("UNK", "patient does not remember")) == []
    assert missing_code(missing("ND")) == "ND"
    assert missing_code(None) is missing_code("") is missing_code({"missing": "??"}) is None
    assert answered({"A": missing("ND"), "B": "", "C": None, "E": [{"F": missing("NA"), "G": 1}]}) == {
        "A": None,
        "B": "",
        "C": None,
        "E": [{"F": None, "G": 1}],
    }


def test_a_retired_item_keeps_its_earlier_answer_and_takes_no_new_one() -> None:
    assert HISTORY.check({**FILLED, "OLD": "yes"}, {"OLD": "yes"}) == []
    assert "only an earlier answer stays" in HISTORY.check({**FILLED, "OLD": "no"}, {"OLD": "yes"})[0]


def test_checks_find_problems_in_records_and_in_rows() -> None:
    rows = [{"DRUG": "A", "DAYS": 3}, {"DRUG": "B", "DAYS": 21}]
    hard, soft = HISTORY.findings(Answers({**FILLED, "END": "2021-02-27", "DRUGS": rows}))
    assert (hard.check, hard.severity, hard.item, hard.row) == ("XH-ORDER", "hard", "END", None)
    assert (soft.check, soft.severity, soft.item, soft.row) == ("XH-DAYS", "soft", "DAYS", 2)
    assert HISTORY.findings(Answers({**FILLED, "END": "2021"})) == ()  # 2021 against 2021-03: nobody can tell


@pytest.mark.parametrize(
    ("one", "other", "sign"),
    [
        ("2021-03", "2021-04-01", -1),
        ("2021-03", "2021-03-09", None),
        ("2021-03-09", "2021-03-09", 0),
        ("2021-03-09", "2021-03-09T10:00:00+00:00", None),
        ("2021-03-09T10:00:00+00:00", "2021-03-09T11:00:00+02:00", 1),
        ("2021", missing("UNK"), None),
    ],
)
def test_dates_compare_as_far_as_they_are_known(one: Any, other: Any, sign: int | None) -> None:
    assert order(one, other) == sign
    assert order(other, one) == (None if sign is None else -sign)


@given(st.dates())
def test_every_date_of_the_calendar_is_a_partial_date(day: Any) -> None:
    text = day.isoformat()
    assert all(is_partial_date(text[:length]) for length in (4, 7, 10))


@pytest.mark.parametrize(
    "code",
    [
        "10*9/L",
        "mg/dL",
        "U/L",
        "umol/L",
        "Cel",
        "%",
        "kg",
        "cm",
        "mm[Hg]",
        "a",
        "{copies}/ug",
        "ng/mL",
        "[IU]/L",
        "h/(ng.mL)",
        "/min",
        "m2",
        "g/L{total}",
    ],
)
def test_ucum_codes_are_known(code: str) -> None:
    assert is_ucum(code)


@pytest.mark.parametrize(
    "code", ["years", "10^9/litre", "cells/kg", "mg//L", "mg/", "(mg", "ml)", "CEL", "x10*9", "{open"]
)
def test_what_is_no_ucum_code_is_refused(code: str) -> None:
    assert not is_ucum(code)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"item": "A"}, "exactly one of"),
        ({"item": "A", "is": "x", "given": True}, "exactly one of"),
        ({"is": "x"}, "exactly one of item, patient and times"),
        ({"item": "A", "visit": "D0", "given": True}, "name the form"),
        ({"item": "A", "differs_from": 2}, "stand together"),
        ({"item": "A", "all": [{"item": "B", "given": True}]}, "join conditions"),
    ],
)
def test_an_incomplete_condition_is_refused(spec: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Condition.model_validate(spec)


def faults(file: str, text: str, **more: str) -> list[str]:
    files = {**balli_files(), file: text, **more}
    with pytest.raises(StudyFolderError) as error:
        load_study(files)
    return [str(fault) for fault in error.value.faults]


FORM = """--- !assumption
form: QQ
title: Questions
repeats: true
items:
  - {{name: A, label: First, type: choice, required: true, {choices}}}
  - {{name: B, label: Second, type: number, required: false, {item}}}
checks:
  - {{id: QQ-1, severity: soft, item: B, message: too large, when: {when}}}
"""


@pytest.mark.parametrize(
    ("part", "text", "line", "field", "words"),
    [
        ("item", "unit: mgs", 7, "items.1.unit", "no UCUM code"),
        ("item", "only_if: {item: C, given: true}", 7, "items.1.only_if", "does not stand before it"),
        ("item", "only_if: {item: A, is: z}", 7, "items.1.only_if.is", "A is never z: it needs one of x, y"),
        ("item", "retired: '9'", 7, "items.1.retired", "no such version"),
        ("choices", "codelist: NOLIST", 6, "items.0.codelist", "no such code list"),
        ("when", "{item: A, more_than: 5}", 9, "checks.0.when", "compares numbers"),
        ("when", "{item: B, before: 2021-01-01}", 9, "checks.0.when", "compares dates"),
        ("when", "{item: D, more_than: 5}", 9, "checks.0.when", "no item D"),
        (
            "when",
            "{item: HEIGHT, form: VS, visit: D1000, more_than: 5}",
            9,
            "checks.0.when",
            "no visit D1000",
        ),
        ("when", "{item: WEITH, form: VS, more_than: 5}", 9, "checks.0.when", "no item VS.WEITH"),
    ],
)
def test_a_fault_of_a_form_is_told_with_file_line_field_and_rule(
    part: str, text: str, line: int, field: str, words: str
) -> None:
    parts = {"choices": "choices: [x, y]", "item": "unit: mg", "when": "{item: B, more_than: 5}", part: text}
    (fault,) = faults("forms/qq.yaml", FORM.format(**parts))
    assert fault.startswith(f"forms/qq.yaml:{line}: {field}")
    assert words in fault


def test_items_share_a_code_list() -> None:
    codes = "codes: [{code: x, label: Ex}, {code: y, label: Why}]"
    lists = f"{balli_files()['codelists.yaml']}  - {{id: XY, title: Two, {codes}}}\n"
    text = FORM.format(choices="codelist: XY", item="unit: mg", when="{item: A, is: y}")
    folder = load_study({**balli_files(), "forms/qq.yaml": text, "codelists.yaml": lists})
    assert folder.forms["QQ"].items[0].choices == ("x", "y")
    assert folder.texts["codelists.yaml"] == lists
    wrong = lists.replace("code: y", "code: x")
    assert any(
        "x stands twice" in fault for fault in faults("forms/qq.yaml", text, **{"codelists.yaml": wrong})
    )


def test_rows_above_the_most_and_reasons_that_are_no_text_are_refused() -> None:
    rows = [{"DRUG": name} for name in "ABC"]
    assert problems(DRUGS=rows) == ["XH.DRUGS (Drugs given): needs 1 to 2 rows"]
    assert "the reason is a text" in problems(TEMP={"missing": "ND", "reason": 3})[0]


@pytest.mark.parametrize(("days", "fits"), [(0, False), (1, True), (30, True), (31, False)])
def test_both_ends_of_a_range_belong_to_it(days: int, fits: bool) -> None:
    assert (problems(DRUGS=[{"DRUG": "A", "DAYS": days}]) == []) is fits


def test_a_critical_or_retired_item_in_a_group_counts_row_by_row() -> None:
    question = {"name": "DOSE", "label": "Dose", "type": "number", "required": False}
    for more in ({"critical": True}, {"retired": "2"}):
        groups = [{"group": "ROWS", "label": "Rows", "items": [{**question, **more}]}]
        items = [{"name": "TERM", "label": "Term", "type": "text", "required": False}]
        form = Form.model_validate(
            {"form": "XG", "title": "x", "repeats": True, "items": items, "groups": groups}
        )
        rows = {"ROWS": [{"DOSE": 1}]}
        if "critical" in more:
            assert form.critical_items(rows) == ("ROWS",)
            assert form.critical_items({"TERM": "x"}) == ()
        else:
            assert form.check(rows, rows) == []
            assert "only an earlier answer stays" in form.check({"ROWS": [{"DOSE": 1}, {"DOSE": 1}]}, rows)[0]


PICKED = Answers(
    {"OWN": 1},
    [("VS", "D0", {"W": 70}), ("VS", "D7", {"W": 90}), ("VS", None, {"W": 80}), ("LB", "D0", {"W": 5})],
)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ({"pick": "first"}, 70),
        ({"pick": "latest"}, 80),
        ({}, 80),
        ({"pick": "lowest"}, 70),
        ({"pick": "highest"}, 90),
        ({"visit": "D0"}, 70),
        ({"visit": "D7", "pick": "first"}, 90),
        ({"visit": "D28"}, None),
    ],
)
def test_a_condition_looks_at_the_record_that_was_named(where: dict[str, Any], value: int | None) -> None:
    def told(relation: dict[str, Any]) -> bool | None:
        return holds(Condition.model_validate({"form": "VS", "item": "W", **where, **relation}), PICKED)

    assert told({"given": True}) is (value is not None)
    assert told({"is": 70}) is (None if value is None else value == 70)
    assert told({"at_least": value or 0}) is (None if value is None else True)
    assert told({"more_than": value or 0}) is (None if value is None else False)


def test_a_missing_code_is_no_answer() -> None:
    asked = [Condition.model_validate({"item": "A", "given": given}) for given in (True, False)]
    for value, truths in (({"missing": "ND"}, [False, True]), (None, [False, True]), (0, [True, False])):
        assert [holds(one, Answers({"A": value})) for one in asked] == truths


def test_a_check_of_a_group_looks_at_the_record_too() -> None:
    check = {
        "id": "XH-LONG", "severity": "soft", "item": "DAYS", "group": "DRUGS", "message": "long for CRS",
        "when": {"all": [{"item": "KIND", "is": "CRS"}, {"item": "DAYS", "more_than": 5}]},
    }  # fmt: skip
    form = Form.model_validate({**HISTORY.model_dump(by_alias=True, exclude_none=True), "checks": [check]})
    rows = [{"DRUG": "A", "DAYS": 3}, {"DRUG": "B", "DAYS": 6}]
    assert [one.row for one in form.findings(Answers({**FILLED, "DRUGS": rows}))] == [2]
    assert form.findings(Answers({**FILLED, "KIND": "OTHER", "DRUGS": rows})) == ()


GROUPED = """--- !assumption
form: QQ
title: Questions
repeats: true
items:
  - {{name: A, label: First, type: text, required: false}}
groups:
  - {{group: ROWS, label: Rows, items: [{{name: B, label: Second, type: choice, codelist: XY, required: false}}]}}
checks:
  - {{id: QQ-1, severity: soft, group: {group}, item: {item}, message: too large, when: {{item: A, is: y}}}}
"""


def test_items_of_a_group_share_code_lists_and_checks_name_what_is_there() -> None:
    lists = f"{balli_files()['codelists.yaml']}  - {{id: XY, title: Two, codes: [{{code: x, label: Ex}}]}}\n"
    form = GROUPED.format(group="ROWS", item="B")
    folder = load_study({**balli_files(), "forms/qq.yaml": form, "codelists.yaml": lists})
    assert folder.forms["QQ"].groups[0].items[0].choices == ("x",)
    more = {"codelists.yaml": lists}
    assert any(
        "no such group" in one
        for one in faults("forms/qq.yaml", GROUPED.format(group="ROW", item="B"), **more)
    )
    assert any(
        "no such item" in one
        for one in faults("forms/qq.yaml", GROUPED.format(group="ROWS", item="C"), **more)
    )
