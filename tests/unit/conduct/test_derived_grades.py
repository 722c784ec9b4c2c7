"""Components of the AE form to grades: one spelling on form and table, and nothing missing is read as absent."""

from typing import Any

import pytest

from escalon.conduct.derived_grades import COMPONENTS, derive_grade, worst_grade
from escalon.conduct.opinions import CAUSES, SERIOUSNESS, SponsorView, judge_relations, judge_serious
from escalon.criteria.astct import grade_crs, grade_icans
from escalon.criteria.iec_hs import grade_iec_hs
from escalon.protocol import StudyFolder

CRS = {
    "AECAT": "CRS",
    "AETOXGR": 1,
    "CRSTEMP": 38.5,
    "CRSATTR": "Y",
    "CRSHYPO": "N",
    "CRSPRESS": 0,
    "CRSVASO": "N",
    "CRSOXY": "NONE",
}
ICANS = {
    "AECAT": "ICANS",
    "ICESCORE": 9,
    "ICCONSC": "ALERT",
    "ICSEIZ": "NONE",
    "ICMOTOR": "NONE",
    "ICEDEMA": "NONE",
}


def grade(base: dict[str, Any], **changes: Any) -> int | None:
    found = derive_grade({**base, **changes})
    assert found is not None
    return found.grade


def test_the_choices_of_the_form_are_the_codes_of_the_tables(balli: StudyFolder) -> None:
    items = {item.name: item for item in balli.forms["AE"].items}
    for code in items["CRSOXY"].choices or ():
        grade_crs(temperature=39.0, oxygen=code.lower(), oxygen_flow=2.0)
    for name, item in (
        ("ICCONSC", "consciousness"), ("ICSEIZ", "seizure"), ("ICMOTOR", "motor"), ("ICEDEMA", "edema"),
    ):  # fmt: skip
        for code in items[name].choices or ():
            grade_icans(ice=9, **{item: code.lower()})
    for code in items["HSSEVER"].choices or ():
        assert grade_iec_hs(diagnosed=True, severity=code.lower()).grade is not None
    assert {name for names in COMPONENTS.values() for name in names} <= set(items)


def test_form_items_and_causes_are_the_same_list(balli: StudyFolder) -> None:
    names = {item.name for item in balli.forms["AE"].items}
    assert {f"AEREL{ending}" for ending in CAUSES} <= names
    assert {f"AE{ending}" for ending in SERIOUSNESS} <= names


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 1),
        ({"CRSHYPO": "Y"}, 2),
        ({"CRSPRESS": 1}, 3),
        ({"CRSVASO": "Y"}, 3),
        ({"CRSPRESS": 2}, 4),
        ({"CRSOXY": "NASAL_CANNULA", "CRSFLOW": 6}, 2),
        ({"CRSOXY": "NASAL_CANNULA", "CRSFLOW": "7"}, 3),
        ({"CRSOXY": "FACEMASK"}, 3),
        ({"CRSOXY": "BIPAP"}, 4),
        ({"CRSATTR": "N"}, 0),
        ({"CRSTEMP": 36.8, "CRSHYPO": "Y", "CRSSUPP": "Y"}, 2),
        ({"CRSTEMP": 36.8, "CRSHYPO": "Y", "CRSSUPP": "N"}, 0),
        ({"AESDTH": "Y"}, 5),
        ({"CRSOXY": None}, None),
        ({"CRSOXY": "NASAL_CANNULA"}, None),
        ({"CRSPRESS": None}, None),
        ({"CRSATTR": None}, None),
        ({"CRSHYPO": None}, None),
        ({"CRSHYPO": None, "CRSPRESS": 1}, 3),
    ],
)
def test_crs_from_the_form(changes: dict[str, Any], expected: int | None) -> None:
    assert grade(CRS, **changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 1),
        ({"ICCONSC": "AWAKENS_TO_VOICE"}, 2),
        ({"ICSEIZ": "BRIEF", "ICSEIZMN": 6}, 4),
        ({"ICESCORE": 4, "ICOTHER": "ICE"}, 0),
        ({"ICMOTOR": None}, None),
        ({"ICMOTOR": None, "ICCONSC": "UNAROUSABLE"}, 4),
    ],
)
def test_icans_from_the_form(changes: dict[str, Any], expected: int | None) -> None:
    assert grade(ICANS, **changes) == expected


def test_iec_hs_gvhd_and_what_has_no_components() -> None:
    assert grade({"AECAT": "IEC-HS", "HSDIAG": "Y", "HSSEVER": "LIFE_THREATENING"}) == 4
    assert grade({"AECAT": "IEC-HS", "HSSEVER": "SEVERE"}) is None
    stages = {"GVSKIN": 2, "GVLIVER": 0, "GVUGI": 0, "GVLGI": 2}
    assert grade({"AECAT": "GVHD", **stages}) == 3
    assert derive_grade({"AECAT": "GENERAL"}) is None


def test_the_worse_grade_counts_and_a_missing_one_changes_nothing() -> None:
    assert worst_grade({**CRS, "AETOXGR": 1, "CRSPRESS": 1}) == 3
    assert worst_grade({**CRS, "AETOXGR": 4}) == 4
    assert worst_grade({"AECAT": "CRS", "AETOXGR": 2}) == 2


def test_either_view_is_enough_for_serious() -> None:
    found = judge_serious({"AESMIE": "N"}, SponsorView(serious=("IMPORTANT_MEDICAL_EVENT",)))
    assert (found.holds, found.clause) == (True, "IMPORTANT_MEDICAL_EVENT")
    assert judge_serious({"AESHOSP": "N"}).holds is False


def test_a_cause_nobody_was_asked_about_is_not_judged() -> None:
    values = {"AERELUC": "UNLIKELY", "AERELPR": "POSSIBLE"}
    found = judge_relations(values, SponsorView({"PROCEDURE": "UNLIKELY"}))
    assert set(found) == {"UCART22", "CLLS52", "FLUDARABINE", "CYCLOPHOSPHAMIDE", "PROCEDURE"}
    assert (found["PROCEDURE"].combined, found["UCART22"].related) == ("POSSIBLE", False)
    assert found["CLLS52"].related  # not recorded counts as related
