"""Laboratory terms and reference safety information of a study: joined with forms and products, faults named."""

from datetime import date

import pytest

from escalon.criteria.seriousness import judge_expectedness
from escalon.protocol import StudyFolder, StudyFolderError, load_study
from tests.study_files import balli_files


def test_laboratory_terms_follow_the_version_and_the_unit_of_the_form(balli: StudyFolder) -> None:
    units = {item.name: item.unit for item in balli.forms["LB"].items}
    assert all(units[row.item] == row.unit for row in balli.study.grading.laboratory)
    six = balli.study.grading.model_copy(update={"ctcae": "6.0"})
    assert balli.study.grading.laboratory_terms()["Platelet count decreased"].item == "PLAT"
    assert six.laboratory_terms()["Thrombocytopenia"].item == "PLAT"
    assert "LYM" not in {row.item for row in six.laboratory_terms().values()}


def test_the_reference_in_force_on_the_day_of_onset_decides(balli: StudyFolder) -> None:
    references = balli.study.safety_references
    before, after = date(2021, 10, 31), date(2021, 11, 1)
    term = "Cytokine release syndrome"
    assert judge_expectedness(term, 2, "UCART22", before, references).holds is True
    assert judge_expectedness(term, 3, "UCART22", before, references).holds is False
    assert judge_expectedness(term, 3, "UCART22", after, references).holds is True
    assert judge_expectedness(term, 4, "UCART22", after, references).holds is False


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        (
            "  - product: CLLS52\n",
            "  - product: FLUDARABINE\n",
            "reference_safety.2.product",
            "investigational",
        ),
        ("valid_from: 2021-11-01", "valid_from: 2019-10-14", "reference_safety.1.valid_from", "already"),
        (
            "{term: Viremia, grade: 3}",
            "{term: fever, grade: 3}",
            "reference_safety.2.expected.5.term",
            "twice",
        ),
        ("ctcae_6: Thrombocytopenia", "ctcae_6: Platelets low", "grading.laboratory.1.ctcae_6", "6.0"),
    ],
)
def test_faults_are_named(old: str, new: str, field: str, words: str) -> None:
    files = balli_files()
    assert old in files["study.yaml"]
    files["study.yaml"] = files["study.yaml"].replace(old, new, 1)
    with pytest.raises(StudyFolderError) as caught:
        load_study(files)
    assert [(fault.field, words in fault.rule) for fault in caught.value.faults] == [(field, True)]
