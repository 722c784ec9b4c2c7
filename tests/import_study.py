"""The reference study with one more form, ZZ, and mappings of it: wide rows of a group, and one row for each answer."""

from escalon.protocol import StudyFolder, load_study
from tests.study_files import balli_files

FORM = """--- !assumption
form: ZZ
title: Transferred data
repeats: true
source: imported
found_in: file of the central laboratory
items:
  - {name: ZZDTC, label: Date, type: date, required: true}
  - {name: HGB, label: Hemoglobin, type: number, required: false, unit: g/L, range: [20, 220], missing: [ND]}
  - {name: BILI, label: Bilirubin, type: number, required: false, unit: umol/L, range: [0, 1500]}
  - {name: COUNT, label: Cells, type: integer, required: false, unit: /uL, range: [0, 100000]}
  - {name: RESULT, label: Result, type: choice, required: false, choices: [POSITIVE, NEGATIVE]}
  - {name: NOTE, label: Note, type: text, required: false}
groups:
  - group: DRUGS
    label: Drugs
    max_rows: 3
    items:
      - {name: DRUG, label: Drug, type: text, required: true}
      - {name: DAYS, label: Days, type: integer, required: false, range: [1, 30]}
"""
LONG = """    - id: z-long
      form: ZZ
      patient: SUBJECT
      record: SAMPLE
      prefix: ZZ-
      visit: VISIT
      long: {item: TEST, value: RESULT, unit: UNIT, row: ROW, form: FORM}
      missing: {"not done": ND}
      columns:
        - {item: ZZDTC, column: COLLECTED}
        - {item: HGB, code: HB, units: {"g/dl": g/dL, "g/l": g/L}}
        - {item: BILI, code: TBIL, units: {"umol": umol/L}, factors: {"mg/dl": 17.1}}
        - {item: COUNT, code: CELLS, units: {"/ul": /uL, "G/l": 10*9/L}}
        - {item: RESULT, code: CULT, codes: {pos: POSITIVE, neg: NEGATIVE}}
        - {item: DRUG, code: DRUG}
        - {item: DAYS, code: DAYS}
"""
WIDE = """    - id: z-wide
      form: ZZ
      patient: SUBJECT
      record: SAMPLE
      prefix: ZZ-
      group: DRUGS
      columns:
        - {item: ZZDTC, column: COLLECTED}
        - {item: HGB, column: HB_G_DL, unit: g/dL}
        - {item: DRUG, column: DRUG}
        - {item: DAYS, column: DAYS}
"""
LONG_HEAD = "SUBJECT,FORM,SAMPLE,VISIT,COLLECTED,TEST,ROW,RESULT,UNIT\n"
WIDE_HEAD = "SUBJECT,SAMPLE,COLLECTED,HB_G_DL,DRUG,DAYS\n"


def import_files(form: str = FORM, mappings: str = LONG + WIDE) -> dict[str, str]:
    """The texts of the study folder."""
    files = balli_files()
    conduct = files["conduct.yaml"].replace("  imports: !assumption\n", f"  imports: !assumption\n{mappings}")
    return {**files, "forms/zz.yaml": form, "conduct.yaml": conduct}


def import_study() -> StudyFolder:
    """The study."""
    return load_study(import_files())
