"""A fault of a mapping is told with file, line, field and rule by the check of the study folder, before any import."""

import pytest

from escalon.protocol import StudyFolderError, load_study
from tests.import_study import FORM, LONG, WIDE, import_files


def faults(mappings: str, form: str = FORM) -> list[str]:
    with pytest.raises(StudyFolderError) as error:
        load_study(import_files(form, mappings))
    return [str(fault) for fault in error.value.faults]


def test_the_mappings_of_the_test_study_have_no_fault() -> None:
    assert [one.id for one in load_study(import_files()).conduct.capture.imports][:2] == ["z-long", "z-wide"]


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("form: ZZ", "form: ZY", "form = ZY", "the study has no form ZY"),
        ("id: z-long", "id: z-wide", "id = z-wide", "the mapping z-wide stands twice"),
        ("{item: BILI, code", "{item: BILE, code", "columns.2.item = BILE", "ZZ has no item BILE"),
        ("code: TBIL", "code: HB", "columns", "the code HB stands 2 times"),
        ("{item: COUNT, code", "{item: HGB, code", "columns", "the item HGB stands 2 times"),
        ('"g/dl": g/dL', '"g/dl": gdl', "columns.1.units.g/dl = gdl", "no UCUM code"),
        ('"umol": umol/L', '"mg": mg/dL', "columns.2.units.mg = mg/dL", "does not convert mg/dL into umol/L of BILI"),
        ('"mg/dl": 17.1', '"mmol/L": 17.1', "columns.2.factors.mmol/L = 17.1", "one mmol/L is 1000 umol/L of BILI"),
        ('"mg/dl": 17.1', '"mg/dl": 0', "columns.2", "a factor is a number above 0"),
        ('"mg/dl": 17.1', '"mg/dl": -17.1', "columns.2", "a factor is a number above 0"),
        ('"mg/dl": 17.1', '"umol": 17.1', "columns.2", "the unit umol has a UCUM code and a factor"),
        ("pos: POSITIVE", "pos: POSITIV", "columns.4.codes.pos = POSITIV", "RESULT is never POSITIV: it needs one of"),
        ("RESULT, code: CULT,", "NOTE, code: CULT, units: {x: g/L},", "columns.4", "NOTE has no unit in the form"),
        ('"not done": ND', '"not done": NA', "missing.not done = NA", "no item of the mapping may be missing as NA"),
        ("row: ROW, ", "", "columns.5.item", "DRUG stands in the group DRUGS; name the column of its rows"),
        ("{item: DAYS, code: DAYS}", "{item: DAYS, column: DAYS}", "columns.6.column", "long layout it has a code"),
        ("unit: UNIT, ", "", "", "units of a row need the column `long: unit`"),
        ("code: HB,", "code: HB, column: HB,", "columns.1", "name its column or, in the long layout, its code"),
        ("code: HB,", "code: HB, unit_column: U,", "columns.1", "stands under `long`"),
        ("prefix: ZZ-", "group: DRUGS", "", "stand in the column `long: row`"),
    ],
)  # fmt: skip
def test_a_fault_of_a_long_mapping(old: str, new: str, field: str, words: str) -> None:
    assert old in LONG
    found = faults(LONG.replace(old, new, 1) + WIDE)
    assert any(fault.startswith("conduct.yaml:") and field in fault and words in fault for fault in found), (
        found
    )


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("group: DRUGS", "group: DRUG", "group = DRUG", "ZZ has no group DRUG"),
        ("      group: DRUGS\n", "", "columns.2.item", "DRUG stands in the group DRUGS; name it as"),
        ("        - {item: DAYS, column: DAYS}\n", "", "columns", "rows of DRUGS come whole; the mapping leaves"),
        ("column: DAYS", "column: DRUG", "columns", "the column DRUG stands 2 times"),
        ("unit: g/dL", "unit: g/dL, unit_column: U", "columns.1", "a column of units and the factors"),
        ("unit: g/dL", "unit: g/dL, unit_column: U, units: {x: g/L}", "columns.1", "its unit is told once"),
        ("unit: g/dL", "unit: mmol/L", "columns.1.unit = mmol/L", "does not convert mmol/L into g/L"),
        ("column: HB_G_DL", "code: HB", "", "codes of items are for the long layout"),
    ],
)  # fmt: skip
def test_a_fault_of_a_wide_mapping(old: str, new: str, field: str, words: str) -> None:
    assert old in WIDE
    found = faults(WIDE.replace(old, new, 1))
    assert any(field in fault and words in fault for fault in found), found


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("unit: umol/L, range: [0, 1500]", "unit: umol/L, source: derived", "BILI is derived; it is not imported"),
        ("name: BILI,", "name: BILI, retired: '1',", "BILI is not asked since version 1"),
    ],
)  # fmt: skip
def test_what_is_derived_or_retired_is_not_imported(old: str, new: str, words: str) -> None:
    assert any(words in fault for fault in faults(LONG, FORM.replace(old, new)))
