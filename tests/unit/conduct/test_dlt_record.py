"""From recorded forms to a proposed DLT status: the grade counts from the day it was reached, not from the onset."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from escalon.conduct import commands as c
from escalon.conduct.adverse_event_checks import wrong_event
from escalon.conduct.dlt_record import assess_dlt, patient_record
from escalon.conduct.events import DltStatus
from escalon.conduct.opinions import sponsor_views
from escalon.conduct.safety.commands import AssessCase
from escalon.protocol import StudyFolder
from tests.act import (
    COORDINATOR,
    MONITOR,
    Desk,
    adverse_event,
    enrol,
    exposure,
    infuse,
    lymphodeplete,
    opened,
    panel,
)


def infused(folder: StudyFolder) -> Desk:
    desk = opened(folder)
    enrol(desk, "001")
    lymphodeplete(desk, "001")
    desk.now += timedelta(days=5)
    assert not isinstance(infuse(desk, "001"), c.Refused)
    return desk


def record(desk: Desk, day: float, key: str = "AE-1", **values: Any) -> None:
    start = desk.state.patients["001"].infused_at
    assert start is not None
    moment = start + timedelta(days=day)
    desk.now = max(desk.now, moment)
    event = adverse_event(desk, **values)
    event["AESTDTC"] = values.get("AESTDTC", moment.isoformat())
    reason = "changed" if key in desk.state.patients["001"].records else None
    desk.must(COORDINATOR, c.RecordForm("001", "AE", key, event, None, reason))


def at(desk: Desk, day: float) -> str:
    start = desk.state.patients["001"].infused_at
    assert start is not None
    return (start + timedelta(days=day)).isoformat()


def status(desk: Desk, day: float = 30) -> tuple[DltStatus, str | None]:
    start = desk.state.patients["001"].infused_at
    assert start is not None
    desk.now = max(desk.now, start + timedelta(days=28))
    desk.must(COORDINATOR, c.RecordForm("001", "LB", "LB-D28", panel(desk), "D28"))
    found = assess_dlt(desk.state.patients["001"], desk.folder, start + timedelta(days=day))
    return found.status, found.clause


CRS = {"AECAT": "CRS", "AEDECOD": "Cytokine release syndrome", "AEGRSYS": "ASTCT 2019"}


def crs(**values: Any) -> dict[str, Any]:
    return {**CRS, **values}


def test_hours_at_grade_3_count_from_the_worsening(balli: StudyFolder) -> None:
    desk = infused(balli)
    record(desk, 2.0, **crs(AETOXGR=1))
    onset, worse, better = at(desk, 2.0), at(desk, 5.0), at(desk, 5.5)
    record(desk, 5.0, **crs(AETOXGR=3, AESTDTC=onset, AEGRDTC=worse))
    record(desk, 6.0, **crs(AETOXGR=3, AESTDTC=onset, AEGRDTC=worse, AEIMPDTC=better))
    assert status(desk) == (DltStatus.NO_DLT, None)


@pytest.mark.parametrize(("hours", "expected"), [(72, DltStatus.NO_DLT), (73, DltStatus.DLT)])
def test_grade_3_for_more_than_72_hours_is_a_dlt(balli: StudyFolder, hours: int, expected: DltStatus) -> None:
    desk = infused(balli)
    record(desk, 3.0, **crs(AETOXGR=3))
    record(desk, 8.0, **crs(AETOXGR=3, AESTDTC=at(desk, 3.0), AEIMPDTC=at(desk, 3.0 + hours / 24)))
    assert status(desk)[0] is expected


def test_a_grade_reached_after_the_window_does_not_count_back(balli: StudyFolder) -> None:
    desk = infused(balli)
    gvhd = {"AECAT": "GVHD", "AEDECOD": "Graft versus host disease", "AEGRSYS": "MAGIC 2016"}
    record(desk, 20.0, AETOXGR=2, **gvhd)
    onset = at(desk, 20.0)
    first = status(desk)
    record(desk, 40.0, AETOXGR=3, AESTDTC=onset, AEGRDTC=at(desk, 40.0), **gvhd)
    start = desk.state.patients["001"].infused_at
    assert start is not None
    later = assess_dlt(desk.state.patients["001"], balli, start + timedelta(days=45))
    assert first[0] is DltStatus.NO_DLT
    assert later.status is DltStatus.NO_DLT


def test_improvement_never_raises_a_grade(balli: StudyFolder) -> None:
    desk = infused(balli)
    gvhd = {"AECAT": "GVHD", "AEDECOD": "Graft versus host disease", "AEGRSYS": "MAGIC 2016", "GVREFR": "Y"}
    record(desk, 10.0, AETOXGR=1, AEIMPDTC=at(desk, 11.0), **gvhd)
    assert status(desk) == (DltStatus.NO_DLT, None)


def test_a_related_death_counts_whatever_its_category(balli: StudyFolder) -> None:
    desk = infused(balli)
    record(desk, 9.0, AECAT="CYTOPENIA", AEDECOD="Hemolysis", AETOXGR=5, AEEXPLD="Y", AEOUT="FATAL")
    assert status(desk)[1] == "1"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"AEENDTC": "2020-01-01T00:00:00+00:00"}, "AEENDTC"),
        ({"AEIMPDTC": "2020-01-01T00:00:00+00:00"}, "AEIMPDTC"),
        ({"AEGRDTC": "2020-01-01T00:00:00+00:00"}, "AEGRDTC"),
        ({"AEGRSYS": "CTCAE 6.0"}, "CTCAE 5.0"),
    ],
)
def test_dates_outside_the_event_and_another_version_are_refused(
    balli: StudyFolder, values: dict[str, Any], words: str
) -> None:
    desk = infused(balli)
    refused = desk.refused(COORDINATOR, c.RecordForm("001", "AE", "AE-1", adverse_event(desk, **values)))
    assert refused.rule == "form-check"
    assert words in refused.reason


@pytest.mark.parametrize(
    ("term", "grade", "fault"),
    [
        ("Thrombocytopenia", 4, None),
        ("Thrombocytopenia", 5, None),  # grade 5 is no part of the laboratory rules, so it is not checked
        ("Alkaline phosphatase increased", 2, "AE.AETOXGR: grade: 2 does not exist"),
        ("A clinical term", 4, None),  # no clinical catalogue of 6.0 ships
    ],
)
def test_entries_under_version_6_are_checked_as_far_as_its_terms_are_held(
    balli: StudyFolder, term: str, grade: int, fault: str | None
) -> None:
    grading = balli.study.grading.model_copy(update={"ctcae": "6.0"})
    newer = replace(balli, study=balli.study.model_copy(update={"grading": grading}))
    event = adverse_event(opened(balli), AEDECOD=term, AETOXGR=grade, AEGRSYS="CTCAE 6.0")
    found = wrong_event(event, newer)
    assert found is None if fault is None else str(found).startswith(fault)


COMPONENTS = {
    "CRSTEMP": 39.2,
    "CRSATTR": "Y",
    "CRSHYPO": "Y",
    "CRSPRESS": 2,
    "CRSVASO": "N",
    "CRSOXY": "NONE",
}


def test_the_worse_of_recorded_and_derived_grade_is_proposed_and_the_difference_is_said(
    balli: StudyFolder,
) -> None:
    desk = infused(balli)
    record(desk, 3.0, **crs(AETOXGR=3, AEIMPDTC=at(desk, 3.5), **COMPONENTS))
    assert status(desk) == (DltStatus.DLT, "2")
    found = assess_dlt(desk.state.patients["001"], balli, desk.now)
    assert "AE-1 Cytokine release syndrome: recorded grade 3, derived grade 4" in found.text
    assert len(found.disagreements) == 1
    milder = infused(balli)
    record(milder, 3.0, **crs(AETOXGR=4, **(COMPONENTS | {"CRSPRESS": 0})))
    assert status(milder) == (DltStatus.DLT, "2")


def test_components_that_do_not_give_a_grade_leave_the_recorded_one(balli: StudyFolder) -> None:
    desk = infused(balli)
    record(desk, 3.0, **crs(AETOXGR=2, CRSTEMP=39.0))
    assert status(desk) == (DltStatus.NO_DLT, None)
    assert assess_dlt(desk.state.patients["001"], balli, desk.now).disagreements == ()


def liver_event(desk: Desk, results: dict[float, float], **values: Any) -> None:
    alt = {"AECAT": "LABORATORY", "AEDECOD": "Alanine aminotransferase increased", "AESER": "N"}
    record(desk, 3.0, **alt, **dict.fromkeys(("AESLIFE", "AESHOSP"), "N"), **values)
    for day, value in results.items():
        taken = {**panel(desk), "LBDTC": at(desk, day), "ALT": value}
        desk.now += timedelta(minutes=1)
        desk.must(COORDINATOR, c.RecordForm("001", "LB", f"LB-{day}", taken))


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ({4: 250, 10: 250, 13: 90}, DltStatus.DLT),  # grade 3 for more than 7 days
        ({4: 250, 8: 90, 13: 90}, DltStatus.NO_DLT),  # the next result shows it over
        ({4: 130, 8: 130}, DltStatus.NO_DLT),
    ],
)
def test_laboratory_results_raise_a_grade_recorded_too_low(
    balli: StudyFolder, results: dict[float, float], expected: DltStatus
) -> None:
    desk = infused(balli)
    liver_event(desk, results, AETOXGR=2)
    assert status(desk)[0] is expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            {},
            {"AST": 130, "ALP": 90},
            (DltStatus.DLT, "7c"),
        ),  # the upper limit of both transaminases is 40 U/L
        ({}, {"ALT": 130}, (DltStatus.DLT, "7c")),
        ({}, {"AST": 120}, (DltStatus.NO_DLT, None)),
        ({}, {"AST": 130, "BILI": 42}, (DltStatus.NO_DLT, None)),
        ({}, {"AST": 130, "ALP": 300}, (DltStatus.NO_DLT, None)),  # cholestasis
        ({"AST": 140}, {"AST": 130}, (DltStatus.NO_DLT, None)),  # was so before the cells
    ],
)
def test_hys_law_reads_both_transaminases_cholestasis_and_the_start(
    balli: StudyFolder,
    before: dict[str, float],
    after: dict[str, float],
    expected: tuple[DltStatus, str | None],
) -> None:
    desk = infused(balli)
    who = {"AGE": 40, "SEX": "M", "RACE": "OTHER", "ETHNIC": "NOT REPORTED", "COUNTRY": "USA"}
    desk.must(COORDINATOR, c.RecordForm("001", "DM", "DM", who))
    risen = {"BILI": 45.0} | after
    for day, results in ((-0.1, before), (9.0, risen)):  # -0.1 is the morning of the infusion
        taken = {**panel(desk), **results, "LBDTC": at(desk, day)}
        desk.now += timedelta(days=10)
        desk.must(COORDINATOR, c.RecordForm("001", "LB", f"LB-{day}", taken))
    assert status(desk) == expected


def test_the_sponsor_raises_a_relation_and_never_lowers_it(balli: StudyFolder) -> None:
    def proposed(investigator: str, sponsor: str) -> DltStatus:
        desk = infused(balli)
        record(desk, 9.0, AERELUC=investigator)
        causality = {"UCART22": sponsor, "CLLS52": "NOT RELATED"}
        desk.must(MONITOR, AssessCase(1, causality, "Pneumonitis on day 9"))
        status(desk)
        views = sponsor_views(desk.state, "001")
        return assess_dlt(desk.state.patients["001"], balli, desk.now + timedelta(days=2), views).status

    assert proposed("PROBABLE", "NOT RELATED") is DltStatus.DLT
    assert proposed("UNLIKELY", "POSSIBLE") is DltStatus.DLT
    assert proposed("UNLIKELY", "NOT RELATED") is DltStatus.NO_DLT


REACTION = {
    "AECAT": "INFUSION REACTION",
    "AEDECOD": "Infusion related reaction",
    "AERELUC": "NOT RELATED",
    "AERELCL": "DEFINITE",
    "AETOXGR": 3,
}


def test_reactions_before_the_infusion_are_on_record_whether_infused_or_not(balli: StudyFolder) -> None:
    desk = opened(balli)
    enrol(desk, "001")
    lymphodeplete(desk, "001")
    values = adverse_event(desk, **REACTION)
    desk.must(COORDINATOR, c.RecordForm("001", "AE", "AE-1", values))
    (before,) = patient_record(desk.state.patients["001"], balli.study, 0.0).events
    assert (before.start_day, before.category) == (desk.now.hour / 24, "INFUSION REACTION")
    desk.now += timedelta(days=5)
    assert not isinstance(infuse(desk, "001"), c.Refused)
    (after,) = patient_record(desk.state.patients["001"], balli.study, 0.0).events
    assert after.start_day == before.start_day - 5


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"AEDECOD": "Alanine aminotransferase increased", "AETOXGR": 5}, "it has 1, 2, 3, 4"),
        ({"AEDECOD": "Pneumonitiss"}, "near: Pneumonitis"),
        ({"AECAT": "CRS", "AEDECOD": "Cytokine release syndrome"}, "CRS is graded by ASTCT 2019"),
        ({"AECAT": "GVHD", "AEGRSYS": "MAGIC 2016", "AETOXGR": 5}, "MAGIC 2016 has grades 1 to 4"),
        ({"AESHOSP": "N", "AESLIFE": "N"}, "at least one criterion"),
        ({"AESER": "N"}, "AESLIFE is Y"),
        ({"CRSTEMP": 39.0}, "only asked if AECAT is CRS"),
    ],
)
def test_an_entry_against_the_catalog_or_itself_is_refused(
    balli: StudyFolder, values: dict[str, Any], words: str
) -> None:
    desk = infused(balli)
    refused = desk.refused(COORDINATOR, c.RecordForm("001", "AE", "AE-1", adverse_event(desk, **values)))
    assert words in refused.reason
    assert refused.reason.startswith("AE.")


@pytest.mark.parametrize(("hours", "expected"), [(20, DltStatus.NO_DLT), (30, DltStatus.DLT)])
def test_a_reaction_to_the_first_clls52_dose_counts_before_day_0(
    balli: StudyFolder, hours: int, expected: DltStatus
) -> None:
    desk = opened(balli)
    enrol(desk, "001")
    lymphodeplete(desk, "001")
    given = exposure(desk, "CLLS52", desk.now, 20, 20) | {"EXDOSU": "mg"}
    desk.must(COORDINATOR, c.RecordForm("001", "EX", "EX-CLLS52-1", given))
    over = desk.now + timedelta(hours=hours)
    values = adverse_event(desk, **REACTION, AEENDTC=over.isoformat(), AEOUT="RECOVERED/RESOLVED")
    desk.must(COORDINATOR, c.RecordForm("001", "AE", "AE-1", values))
    desk.now += timedelta(days=5)
    assert not isinstance(infuse(desk, "001"), c.Refused)
    assert patient_record(desk.state.patients["001"], balli.study, 0.0).first_doses["CLLS52"] < -4
    assert status(desk) == (expected, "7a" if expected is DltStatus.DLT else None)
