"""``pk_choices.yaml``: optional, checked with file and line, outside the hash of the trial."""

import pytest

from escalon.protocol import StudyFolderError, load_study
from tests.study_files import balli_files

CHOICES = """\
choices: !assumption
  - patient: "003"
    analyte: CLLS52
    use: slope
    hours: [288, 456.02, 792]
    reason: the sample of Day 42 is at the limit of quantification
    user: A. Pharmacologist
    decided_at: 2026-11-20T09:00+01:00
  - patient: "003"
    analyte: CLLS52
    use: exclude
    hours: [26.4]
    reason: drawn from the line of the infusion
    user: A. Pharmacologist
    decided_at: 2026-11-20T09:00+01:00
"""


def faults(text: str) -> list[str]:
    with pytest.raises(StudyFolderError) as error:
        load_study(balli_files() | {"pk_choices.yaml": text})
    return [str(fault) for fault in error.value.faults]


def test_without_the_file_there_is_no_choice():
    assert load_study(balli_files()).pk_choices.choices == ()


def test_choices_are_read_tagged_and_leave_the_trial_as_it_is():
    plain, found = load_study(balli_files()), load_study(balli_files() | {"pk_choices.yaml": CHOICES})
    assert [one.use for one in found.pk_choices.choices] == ["slope", "exclude"]
    assert found.pk_choices.choices[0].hours == (288.0, 456.02, 792.0)
    assert (found.hash, found.texts) == (plain.hash, plain.texts)
    tags = {row.tag for row in found.provenance if row.file == "pk_choices.yaml"}
    assert tags == {"assumption"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("choices: !assumption", "choices:", "pk_choices.yaml:2: choices.0.patient = 003: every value carries"),
        ("analyte: CLLS52\n    use: slope", "analyte: ALEM\n    use: slope",
         "pk_choices.yaml:3: choices.0.analyte = ALEM: no such analyte; the study measures CLLS52 and UCART22"),
        ("analyte: CLLS52\n    use: slope", "analyte: UCART22\n    use: slope", "only CLLS52 has a terminal slope"),
        ("use: exclude\n    hours: [26.4]", "use: slope\n    hours: [1, 2, 3]", "a chosen slope already"),
        ("hours: [26.4]", "hours: [792]",
         "pk_choices.yaml:12: choices.1.hours.0 = 792: this sample is named by another choice (slope)"),
        ("hours: [288, 456.02, 792]", "hours: [288, 792]", "a slope on 2 samples; name 3 or more"),
        ("    reason: drawn from the line of the infusion\n", "", "choices.1.reason: the field is missing"),
        ("2026-11-20T09:00+01:00\n  -", "2026-11-20T09:00\n  -", "choices.0.decided_at = 2026-11-20T09:00: "),
        ("use: exclude", "use: drop", "choices.1.use = drop: Input should be 'slope' or 'exclude'"),
    ],
)  # fmt: skip
def test_a_fault_names_line_and_rule(old, new, said):
    assert old in CHOICES
    assert any(said in fault for fault in faults(CHOICES.replace(old, new, 1)))
