"""Every fault of a study folder is found, and named with file, line, field, value and rule."""

import pytest

from escalon.protocol import Fault, StudyFolder, StudyFolderError, load_study
from tests.study_files import balli_files


def faults_of(files: dict[str, str]) -> list[Fault]:
    with pytest.raises(StudyFolderError) as caught:
        load_study(files)
    return list(caught.value.faults)


def changed(name: str, old: str, new: str) -> dict[str, str]:
    files = balli_files()
    assert files[name].count(old) >= 1, f"{old!r} is not in {name}"
    files[name] = files[name].replace(old, new, 1)
    return files


def line_of(name: str, text: str) -> int:
    lines = balli_files()[name].splitlines()
    return next(i for i, line in enumerate(lines, start=1) if text in line)


def test_the_reference_study_has_no_fault(balli: StudyFolder) -> None:
    assert balli.study.identity.registry_number == "NCT04150497"
    assert len(balli.study.response_visits) == 11
    assert balli.study.escalation.rule.kind == "mtpi"


def test_every_value_has_a_tag_and_the_method_is_an_assumption(balli: StudyFolder) -> None:
    assert {row.tag for row in balli.provenance} == {"registry", "publication", "derived", "assumption"}
    by_path = {(row.file, row.path): row for row in balli.provenance}
    assert by_path["study.yaml", "escalation.rule.kind"].tag == "assumption"
    assert by_path["study.yaml", "escalation.rule.target"].tag == "assumption"
    assert by_path["study.yaml", "identity.registry_number"].tag == "registry"
    assert by_path["study.yaml", "response.visits.10"].value == "M24"


@pytest.mark.parametrize("name", ["study.yaml", "scenarios.yaml", "forms/ae.yaml", "forms/pc.yaml"])
def test_a_missing_file_is_named(name: str) -> None:
    files = balli_files()
    del files[name]
    assert any(fault.file == name and "missing" in fault.rule for fault in faults_of(files))


def test_an_unknown_field_is_named_with_its_line() -> None:
    files = changed("study.yaml", "  sponsor: !registry", "  sponsr: !registry")
    found = {fault.field: fault for fault in faults_of(files)}
    assert found["identity.sponsr"].line == line_of("study.yaml", "  sponsor: ")
    assert "unknown field" in found["identity.sponsr"].rule
    assert "missing" in found["identity.sponsor"].rule


def test_an_unknown_field_without_a_tag_is_one_fault() -> None:
    (fault,) = faults_of(changed("study.yaml", "  masking:", "  mask: none\n  masking:"))
    assert (fault.field, fault.value) == ("identity.mask", "none")


def test_an_unknown_section_is_named() -> None:
    files = balli_files()
    files["study.yaml"] += "\nbudget: !assumption 5\n"
    assert [fault.field for fault in faults_of(files)] == ["budget"]


def test_a_negative_dose_is_named_with_its_value() -> None:
    (fault,) = faults_of(changed("study.yaml", "dose: !assumption 1.0e+6", "dose: !assumption -1.0e+6"))
    assert (fault.field, fault.value) == ("dose_levels.1.dose", "-1000000.0")
    assert fault.line == line_of("study.yaml", "1.0e+6")


def test_decreasing_levels_are_named() -> None:
    (fault,) = faults_of(changed("study.yaml", "dose: !assumption 2.5e+6", "dose: !assumption 2.5e+5"))
    assert fault.field == "dose_levels.2.dose"
    assert "doses increase from level to level" in fault.rule


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("window: !assumption [25, 31]", "window: !assumption [31, 25]", "low <= day <= high"),
        ("window: !assumption [49, 63]", "window: !assumption [30, 63]", "overlap"),
        ("overlaps: !derived/d84-m3 [M3]", "overlaps: !derived/d84-m3 [M6]", "overlap"),
        ("id: !registry D56", "id: !registry D28", "stands twice"),
    ],
)
def test_a_visit_window_that_overlaps_is_named(old: str, new: str, words: str) -> None:
    faults = faults_of(changed("study.yaml", old, new))
    assert any(fault.field.startswith("visits.") and words in fault.rule for fault in faults)


def test_a_scenario_of_the_wrong_length_is_named() -> None:
    import re

    files = balli_files()
    files["scenarios.yaml"], changes = re.subn(
        r"(prob_tox: [^\[]*\[)[\d., ]+\]", r"\g<1>0.1, 0.2]", files["scenarios.yaml"], count=1
    )
    assert changes == 1
    (fault,) = faults_of(files)
    assert fault.file == "scenarios.yaml"
    assert fault.field.endswith("prob_tox")
    assert "4 are needed, 2 given" in fault.rule


def test_an_untagged_value_is_a_fault() -> None:
    (fault,) = faults_of(
        changed("study.yaml", "status: !registry/2023-09-25 recruiting", "status: recruiting")
    )
    assert fault.field == "identity.status"
    assert "provenance" in fault.rule


def test_an_unknown_source_and_a_publication_without_source_are_faults() -> None:
    (fault,) = faults_of(changed("study.yaml", "!publication/marsh-2016 0.16", "!publication/marsh 0.16"))
    assert "`marsh`" in fault.rule
    (fault,) = faults_of(changed("study.yaml", "!publication/marsh-2016 0.16", "!publication 0.16"))
    assert "names its source" in fault.rule


def test_an_unknown_tag_is_a_fault() -> None:
    faults = faults_of(changed("study.yaml", "lloq: !assumption 0.05", "lloq: !guess 0.05"))
    assert [fault.value for fault in faults] == ["!guess"]


def test_a_field_given_twice_is_a_fault() -> None:
    files = changed("study.yaml", "  masking:", "  masking: !registry double\n  masking:")
    assert any("twice" in fault.rule for fault in faults_of(files))


def test_text_that_is_not_yaml_is_one_fault_with_its_line() -> None:
    files = balli_files()
    files["study.yaml"] = "identity:\n  study_id: [\n"
    (fault, *_) = [fault for fault in faults_of(files) if fault.file == "study.yaml"]
    assert "not valid YAML" in fault.rule


def test_several_faults_are_all_reported() -> None:
    files = changed("study.yaml", "dose: !assumption 2.5e+6", "dose: !assumption 2.5e+5")
    files["study.yaml"] = files["study.yaml"].replace("lloq: !assumption 0.05", "lloq: !assumption -1", 1)
    files["forms/ae.yaml"] = files["forms/ae.yaml"].replace("type: integer", "type: whole", 1)
    assert {fault.file for fault in faults_of(files)} == {"study.yaml", "forms/ae.yaml"}
    assert len(faults_of(files)) == 3


def test_the_hash_changes_with_a_value_or_a_tag_but_not_with_a_comment(balli: StudyFolder) -> None:
    files = balli_files()
    files["study.yaml"] += "\n# a comment\n"
    assert load_study(files).hash == balli.hash
    assert load_study(changed("study.yaml", "n: 9", "n: 12")).hash != balli.hash
    tag = changed("study.yaml", "masking: !registry none", "masking: !assumption none")
    assert load_study(tag).hash != balli.hash


def test_numbers_dates_and_words_are_read_as_a_clinician_means_them(balli: StudyFolder) -> None:
    countries = next(item for item in balli.forms["DM"].items if item.name == "COUNTRY")
    assert countries.choices == ("USA", "FRA", "GBR")
    assert balli.study.dose_levels[0].dose == 100_000.0
    assert balli.study.identity.start_date.isoformat() == "2019-10-14"
    assert balli.study.amendments[0].version == "1"
