"""What changes between two versions of a study is told; what would destroy recorded data is named."""

import pytest

from escalon.protocol import StudyFolder, load_study
from escalon.protocol.amendments import breaking, diff_studies, succeed
from tests.study_files import balli_files


def amended(file: str, before: str, after: str) -> StudyFolder:
    files = balli_files()
    assert before in files[file]
    return load_study({**files, file: files[file].replace(before, after, 1)})


@pytest.mark.parametrize(
    ("file", "before", "after", "words"),
    [
        ("study.yaml", "after_first_days: !assumption 14", "after_first_days: !assumption 21",
         "stagger after_first_days: 14 becomes 21"),
        ("study.yaml", "min_dose_fraction: !assumption 0.80", "min_dose_fraction: !assumption 0.75",
         "DLT definition min_dose_fraction: 0.8 becomes 0.75"),
        ("study.yaml", "target: !assumption 0.30", "target: !assumption 0.25",
         "escalation rule rule.target: 0.3 becomes 0.25"),
        ("forms/vs.yaml", "range: [25, 250]", "range: [20, 250]",
         "item VS.WEIGHT.range: [25.0, 250.0] becomes [20.0, 250.0]"),
        ("forms/vs.yaml", "required: false, range: [0, 5]", "required: false, retired: '2', range: [0, 5]",
         "item VS.ECOG is retired"),
        ("forms/vs.yaml", "  - {name: ECOG", "  - {name: PULSE, label: Pulse, type: integer, required: false}\n"
         "  - {name: ECOG", "item VS.PULSE is added: name PULSE, label Pulse, type integer, required False"),
    ],
)  # fmt: skip
def test_a_change_is_told_with_its_area(
    balli: StudyFolder, file: str, before: str, after: str, words: str
) -> None:
    new = amended(file, before, after)
    assert [difference.words() for difference in diff_studies(balli, new)] == [words]
    assert breaking(balli, new) == ()


def test_a_comment_or_another_source_is_no_difference(balli: StudyFolder) -> None:
    new = amended("forms/vs.yaml", "form: VS", "# vital signs\nform: VS")
    assert diff_studies(balli, new) == diff_studies(balli, balli) == ()


@pytest.mark.parametrize(
    ("file", "before", "after", "words"),
    [
        ("forms/vs.yaml", "Height, type: number", "Height, type: integer",
         "item VS.HEIGHT changes its type from number to integer; add a new item"),
        ("forms/vs.yaml", "unit: cm", "unit: m", "item VS.HEIGHT changes its unit from cm to m; add a new item"),
        ("forms/ss.yaml", "name: SSORRES", "name: SSSTAT", "item SS.SSORRES is gone; mark it `retired` instead"),
        ("study.yaml", "dose: !assumption 2.5e+6", "dose: !assumption 3.0e+6",
         "dose level 3 (2.5e+06 CELLS/KG) changes; levels keep their dose"),
    ],
)  # fmt: skip
def test_what_would_destroy_data_is_named(
    balli: StudyFolder, file: str, before: str, after: str, words: str
) -> None:
    assert breaking(balli, amended(file, before, after)) == (words,)


def test_a_form_that_is_gone_and_an_item_that_comes_back_are_named(balli: StudyFolder) -> None:
    files = balli_files()
    retired = files["forms/vs.yaml"].replace(
        "required: false, range: [0, 5]", "required: false, retired: '2'"
    )
    without = load_study({**files, "forms/vs.yaml": retired})
    assert "was retired and comes back" in breaking(without, balli)[0]
    extra = files["forms/pr.yaml"].replace("form: PR", "form: PQ")
    with_form = load_study({**files, "forms/pq.yaml": extra})
    assert breaking(with_form, balli) == ("form PQ is gone; keep it and retire its items",)


def test_versions_follow_each_other(balli: StudyFolder) -> None:
    second = succeed(amended("forms/vs.yaml", "range: [25, 250]", "range: [20, 250]"), balli)
    third = succeed(amended("forms/vs.yaml", "range: [25, 250]", "range: [15, 250]"), second)
    assert set(third.earlier) == {balli.hash, second.hash}
    assert third.earlier[second.hash].forms["VS"].items[1].range == (20, 250)
