"""From recorded forms to a proposed DLT status: the grade counts from the day it was reached, not from the onset."""

from datetime import timedelta
from typing import Any

import pytest

from escalon.conduct import commands as c
from escalon.conduct.dlt_record import assess_dlt
from escalon.conduct.events import DltStatus
from escalon.protocol import StudyFolder
from tests.act import COORDINATOR, Desk, adverse_event, enrol, infuse, lymphodeplete, opened, panel


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
