"""The tables of the yearly safety report, counted again from the records."""

from datetime import date, timedelta

import pytest

from escalon.conduct import commands as c
from escalon.conduct.safety import commands as sc
from escalon.protocol import StudyFolder
from escalon.report.dsur import derive_dsur, interval_start
from escalon.report.dsur_page import render_dsur
from tests.act import COORDINATOR, MONITOR, Desk, adverse_event
from tests.unit.conduct.test_safety import assess, with_event


@pytest.fixture(scope="module")
def desk(balli: StudyFolder) -> Desk:
    """One related and one unrelated serious event of patient 001."""
    desk = with_event(balli)
    who = {"AGE": 17, "SEX": "F", "RACE": "WHITE", "ETHNIC": "NOT REPORTED", "COUNTRY": "USA"}
    desk.must(COORDINATOR, c.RecordForm("001", "DM", "DM", who))
    assess(desk, "POSSIBLE")
    other = adverse_event(desk, AETERM="Sepsis", AEDECOD="Sepsis", AERELUC="NOT RELATED")
    desk.must(COORDINATOR, c.RecordForm("001", "AE", "AE-2", other))
    opinion = {"UCART22": "NOT RELATED", "CLLS52": "NOT RELATED"}
    desk.must(MONITOR, sc.AssessCase(2, opinion, "Sepsis from a catheter"))
    left = {"DSDECOD": "WITHDRAWAL BY SUBJECT", "DSSTDTC": "2020-03-01", "DSTERM": "moved away"}
    desk.must(COORDINATOR, c.RecordForm("001", "DS", "DS-1", left), days=80)
    return desk


def test_reactions_are_listed_and_all_serious_events_are_counted(desk: Desk) -> None:
    dsur = derive_dsur(desk.facts, desk.folder, date(2020, 10, 13))
    assert dsur.reactions.select("case", "event", "related to", "SUSAR").rows() == [
        (1, "Pneumonitis", "UCART22", "yes")
    ]
    assert dsur.reactions["investigator"].to_list() == ["UCART22 probable"]
    assert dsur.reactions["sponsor"].to_list() == ["UCART22 possible"]
    counted = {row["term"]: row for row in dsur.events.iter_rows(named=True)}
    assert {term: row["serious events"] for term, row in counted.items()} == {"Pneumonitis": 1, "Sepsis": 1}
    assert {term: row["related to UCART22"] for term, row in counted.items()} == {
        "Pneumonitis": 1,
        "Sepsis": 0,
    }
    assert sum(dsur.events["serious events"]) == len(desk.state.safety.cases)


def test_exposure_counts_every_infused_patient_once_in_each_grouping(desk: Desk) -> None:
    dsur = derive_dsur(desk.facts, desk.folder, date(2020, 10, 13))
    counts = dict(dsur.exposure.select("by", "patients").group_by("by").sum().rows())
    assert counts == {"dose level": 1, "regimen": 1, "age": 1, "sex": 1}
    assert ("age", "under 18", 1) in dsur.exposure.rows()
    assert dsur.discontinuations["reason"].to_list() == ["withdrawal by subject"]


def test_an_event_of_an_earlier_interval_is_counted_and_not_listed(desk: Desk) -> None:
    dsur = derive_dsur(desk.facts, desk.folder, date(2021, 10, 13))
    assert (dsur.reactions.height, sum(dsur.events["serious events"])) == (0, 2)
    page = render_dsur(dsur, simulated=False)
    assert "Simulated patients" not in page
    assert '<p class="empty">None.</p>' in page


def test_what_came_after_the_lock_point_is_not_known(desk: Desk) -> None:
    dsur = derive_dsur(
        desk.facts, desk.folder, (desk.state.safety.cases[0].sponsor_aware_at).date() - timedelta(1)
    )
    assert (dsur.reactions.height, dsur.events.height, dsur.infused) == (0, 0, 1)


def test_the_report_is_due_60_days_after_the_lock_point(desk: Desk) -> None:
    dsur = derive_dsur(desk.facts, desk.folder, date(2020, 10, 13))
    assert dsur.due == {"EU": date(2020, 12, 12), "US": date(2020, 12, 12)}


@pytest.mark.parametrize(
    ("born", "lock", "start"),
    [
        (date(2019, 10, 14), date(2020, 10, 13), date(2019, 10, 14)),
        (date(2019, 10, 14), date(2020, 10, 14), date(2020, 10, 14)),
        (date(2020, 2, 29), date(2021, 2, 28), date(2020, 2, 29)),
        (date(2020, 2, 29), date(2022, 2, 28), date(2021, 3, 1)),
    ],
)
def test_the_interval_starts_on_an_anniversary(born: date, lock: date, start: date) -> None:
    assert interval_start(born, lock) == start
