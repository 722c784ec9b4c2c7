"""The tables of the yearly safety report, counted again from the records."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from escalon.conduct import commands as c
from escalon.conduct.safety import commands as sc
from escalon.conduct.safety.clocks import tasks
from escalon.conduct.safety.lock_points import interval_start
from escalon.protocol import StudyFolder
from escalon.report.dsur import TABLES, Layout, derive_dsur
from escalon.report.dsur_layouts import CAPTIONS, LAYOUTS
from escalon.report.dsur_page import render_dsur
from tests.act import COORDINATOR, MONITOR, SAFETY_OFFICER, Desk, adverse_event
from tests.unit.conduct.test_safety import HASH, assess, with_event


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
    assert dsur.tables["reactions"].select("case", "event", "related to", "SUSAR").rows() == [
        (1, "Pneumonitis", "UCART22", "yes")
    ]
    assert dsur.tables["reactions"]["investigator"].to_list() == ["UCART22 probable"]
    assert dsur.tables["reactions"]["sponsor"].to_list() == ["UCART22 possible"]
    counted = {row["term"]: row for row in dsur.tables["events"].iter_rows(named=True)}
    assert {term: row["serious events"] for term, row in counted.items()} == {"Pneumonitis": 1, "Sepsis": 1}
    assert {term: row["related to UCART22"] for term, row in counted.items()} == {
        "Pneumonitis": 1,
        "Sepsis": 0,
    }
    assert sum(dsur.tables["events"]["serious events"]) == len(desk.state.safety.cases)


def test_exposure_counts_every_infused_patient_once_in_each_grouping(desk: Desk) -> None:
    dsur = derive_dsur(desk.facts, desk.folder, date(2020, 10, 13))
    counts = dict(dsur.tables["exposure"].select("by", "patients").group_by("by").sum().rows())
    assert counts == {"product": 1, "dose level": 1, "regimen": 1, "age": 1, "sex": 1, "race": 1}
    assert ("age", "under 18", 1, 1) in dsur.tables["exposure"].rows()
    assert dsur.tables["discontinuations"]["reason"].to_list() == ["withdrawal by subject"]


def test_an_event_of_an_earlier_interval_is_counted_and_not_listed(desk: Desk) -> None:
    dsur = derive_dsur(desk.facts, desk.folder, date(2021, 10, 13))
    assert (dsur.tables["reactions"].height, sum(dsur.tables["events"]["serious events"])) == (0, 2)
    page = render_dsur(dsur, simulated=False)
    assert "Simulated patients" not in page
    assert '<p class="empty">Line listing of the interval: none.</p>' in page


def test_what_came_after_the_lock_point_is_not_known(desk: Desk) -> None:
    dsur = derive_dsur(
        desk.facts, desk.folder, (desk.state.safety.cases[0].sponsor_aware_at).date() - timedelta(1)
    )
    assert (dsur.tables["reactions"].height, dsur.tables["events"].height, dsur.infused) == (0, 0, 1)


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


def rows(desk: Desk, name: str, day: date = date(2020, 10, 13)) -> list[dict[str, object]]:
    return derive_dsur(desk.facts, desk.folder, day).tables[name].to_dicts()


def test_events_are_counted_in_the_interval_and_since_the_start(desk: Desk) -> None:
    counted = {row["term"]: (row["serious events"], row["in the interval"]) for row in rows(desk, "events")}
    assert counted == {"Pneumonitis": (1, 1), "Sepsis": (1, 1)}
    later = {
        row["term"]: (row["serious events"], row["in the interval"])
        for row in rows(desk, "events", date(2021, 10, 13))
    }
    assert later == {"Pneumonitis": (1, 0), "Sepsis": (1, 0)}
    assert [row["term"] for row in rows(desk, "cumulative_reactions")] == ["Pneumonitis"]
    assert [row["serious reactions"] for row in rows(desk, "cumulative_reactions")] == [1]


def test_who_left_is_shown_with_what_was_not_resolved(desk: Desk) -> None:
    (row,) = rows(desk, "discontinuations")
    assert row["adverse events unresolved then"] == "Pneumonitis, grade 4; Sepsis, grade 4"
    assert row["in the interval"] == "yes"
    assert rows(desk, "discontinuations", date(2021, 10, 13))[0]["in the interval"] == "no"


def test_status_actions_references_and_reports_are_those_of_the_ledger(balli: StudyFolder) -> None:
    desk = with_event(balli, AEOUT="FATAL", AESDTH="Y", AETOXGR=5, AEENDTC="2020-02-20T10:00:00+00:00")
    assess(desk, "POSSIBLE")
    died = {"DSDECOD": "DEATH", "DSSTDTC": "2020-02-20", "DTHCAUS": "ADVERSE EVENT"}
    desk.must(COORDINATOR, c.RecordForm("001", "DS", "DS-1", died))
    clock = tasks(desk.state)[0]
    desk.must(SAFETY_OFFICER, sc.SubmitReport(clock.number, "EudraVigilance", HASH, "weekend"), days=9)
    desk.must(SAFETY_OFFICER, sc.AcknowledgeReport(1, False, "rule 12"))
    status = {row["where they stand"]: row["patients"] for row in rows(desk, "status")}
    assert (status["enrolled"], status["received the cell product"], status["died"]) == (1, 1, 1)
    assert (status["planned"], status["in treatment or follow-up"]) == (balli.study.identity.enrolment, 0)
    (death,) = rows(desk, "deaths")
    assert death["fatal event"] == "Pneumonitis (case 1)"
    assert (death["related to"], death["in the interval"]) == ("UCART22", "yes")
    held = [row["action"] for row in rows(desk, "actions")]
    assert held == [f"enrolment held, rule {hold.rule}" for hold in desk.state.holds]
    (sent,) = rows(desk, "expedited")
    assert (sent["in time"], sent["answer"], sent["where"]) == ("no: weekend", "rejected", clock.jurisdiction)
    assert rows(desk, "expedited", date(2021, 10, 13)) == rows(desk, "actions", date(2021, 10, 13)) == []


def test_reference_safety_information_is_that_of_the_interval(desk: Desk) -> None:
    for day in (date(2020, 10, 13), date(2021, 10, 13), date(2022, 10, 13), date(2023, 10, 13)):
        start = interval_start(date(2019, 10, 14), day)
        known = desk.folder.study.safety_references
        expected = set()
        for one in known:
            days = [one.valid_from + timedelta(n) for n in range(4000)]  # in force until the next version
            later = {other.valid_from for other in known if other.product == one.product}
            until = next((one for one in days[1:] if one in later), date.max)
            if one.valid_from <= day and until > start:
                expected.add((one.product, one.version, "yes" if one.valid_from >= start else "no"))
        found = {
            (row["product"], row["version"], row["new in the interval"])
            for row in rows(desk, "references", day)
        }
        assert found == expected


def test_an_annual_report_counts_its_years_from_the_ind(desk: Desk) -> None:
    rules = desk.folder.conduct.safety.model_copy(update={"ind_effective_date": date(2020, 1, 1)})
    conduct = desk.folder.conduct.model_copy(update={"safety": rules})
    folder = replace(desk.folder, conduct=conduct)
    report = derive_dsur(desk.facts, folder, date(2020, 12, 31), "annual-report")
    assert (report.start, report.due) == (date(2020, 1, 1), {"US": date(2021, 3, 1)})
    assert derive_dsur(desk.facts, folder, date(2020, 12, 31)).start == date(2020, 10, 14)
    with pytest.raises(ValueError, match="before the day the IND went into effect 2020-01-01"):
        derive_dsur(desk.facts, folder, date(2019, 12, 31), "annual-report")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_table_stands_once_in_a_layout_and_every_heading_says_what_is_there(layout: Layout) -> None:
    sections = LAYOUTS[layout]
    shown = [name for section in sections for name in section.tables]
    assert len(shown) == len(set(shown))
    assert set(shown) <= set(TABLES) == set(CAPTIONS)
    assert all(section.tables or section.note for section in sections)
    assert set(TABLES) - set(shown) <= ({"cumulative_reactions"} if layout == "annual-report" else set())


def test_a_version_replaced_on_the_first_day_is_not_of_the_interval(desk: Desk) -> None:
    latest = max(desk.folder.study.safety_references, key=lambda one: one.valid_from)
    rules = desk.folder.conduct.safety.model_copy(update={"ind_effective_date": latest.valid_from})
    folder = replace(desk.folder, conduct=desk.folder.conduct.model_copy(update={"safety": rules}))
    report = derive_dsur(desk.facts, folder, latest.valid_from + timedelta(30), "annual-report")
    versions = [
        row["version"] for row in report.tables["references"].to_dicts() if row["product"] == latest.product
    ]
    assert versions == [latest.version]
