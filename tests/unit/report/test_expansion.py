"""The expansion section says whether it opened, filled or was stopped, and shows the rule it was watched by."""

from dataclasses import replace
from datetime import UTC, datetime

from escalon.conduct.events import DltStatus
from escalon.conduct.state import Cohort, Hold, Patient, Rp2d, State
from escalon.protocol import StudyFolder
from escalon.report.expansion import describe_expansion, render_monitoring

NOW = datetime(2022, 3, 1, tzinfo=UTC)


def expanded(dlts: int, patients: int, planned: int) -> State:
    people = {
        f"{i:03d}": Patient(
            f"{i:03d}",
            "01",
            "expansion",
            1,
            "2022-01-01",
            None,
            NOW,
            dose_level=2,
            infused_at=NOW,
            dlt_status=DltStatus.DLT if i <= dlts else DltStatus.NO_DLT,
        )
        for i in range(1, patients + 1)
    }
    cohort = Cohort(1, "expansion", 2, planned, NOW, tuple(people))
    return State(patients=people, cohorts=(cohort,), rp2d=Rp2d(2, "best", {}, ("A", "B"), NOW))


def test_an_expansion_that_never_opened_says_why(balli: StudyFolder) -> None:
    assert describe_expansion(State(), balli.study).status == "not opened"
    none = State(rp2d=Rp2d(None, "none", {}, ("A", "B"), NOW))
    assert "no dose was recommended" in describe_expansion(none, balli.study).text
    assert render_monitoring(none, balli.study) == ""


def test_a_full_and_a_stopped_expansion(balli: StudyFolder) -> None:
    planned = balli.study.part("expansion").patients
    full = describe_expansion(expanded(1, planned, planned), balli.study)
    assert (full.status, full.stopped) == ("full", False)
    assert f"{planned} enrolled, {planned} infused, 1 with a DLT" in full.text
    held = replace(expanded(5, 9, planned), holds=(Hold(1, "expansion-dlt", "5 DLTs in 9", NOW),))
    stopped = describe_expansion(held, balli.study)
    assert stopped.stopped
    assert "5 DLTs in 9" in stopped.text


def test_the_boundary_of_the_published_table_is_shown(balli: StudyFolder) -> None:
    table = render_monitoring(expanded(2, 9, 16), balli.study)
    rows = [row for row in table.split("<tr") if ">9<" in row]
    assert len(rows) == 1
    assert ">5<" in rows[0]  # stop if at least 5 of 9, prior Beta(1, 1), limit 0.25, certainty 0.95
    assert ">2<" in rows[0]
