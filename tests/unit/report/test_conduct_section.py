"""The section on conduct counts what the state holds; an empty trial has an empty section, not an error."""

from datetime import timedelta
from typing import get_args

from escalon.conduct import commands as c
from escalon.conduct.oversight.access_review import access_hash, standing_rights
from escalon.conduct.oversight.commands import RecordAuditReview, ReviewAccess
from escalon.conduct.safety import commands as sc
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.safety import Purpose
from escalon.report.conduct_section import PURPOSES, clock_rows, conduct_cards, hold_rows, review_rows
from tests.act import (
    ADMINISTRATOR,
    COORDINATOR,
    DATA_MANAGER,
    MONITOR,
    adverse_event,
    enrol,
    infuse,
    lymphodeplete,
    opened,
)


def values(state: State) -> dict[str, tuple[str, str]]:
    return {card.label: (card.value, card.detail) for card in conduct_cards(state)}


def test_an_empty_ledger_has_counts_of_zero() -> None:
    assert values(State())["Decisions"] == ("0", "0 votes against, 0 exceptions to the rule")
    assert clock_rows(State()) == []
    assert hold_rows(State()) == []


def test_cases_clocks_and_holds_are_counted(balli: StudyFolder) -> None:
    desk = opened(balli)
    enrol(desk, "001")
    lymphodeplete(desk, "001")
    infuse(desk, "001")
    desk.must(COORDINATOR, c.RecordForm("001", "AE", "AE-1", adverse_event(desk)), days=1)
    opinion = {"UCART22": "POSSIBLE", "CLLS52": "NOT RELATED"}
    desk.must(MONITOR, sc.AssessCase(1, opinion, "Pneumonitis"))
    shown = values(desk.state)
    assert shown["Serious cases"] == ("1", "1 SUSARs; 0 of 3 clocks late")
    assert shown["Decisions"][0] == "1"
    rows = {(row["purpose"], row["jurisdiction"]): row for row in clock_rows(desk.state)}
    assert rows["Serious event, site to sponsor", "EU"]["met"] == 1
    assert rows["SUSAR, fatal or life threatening", "US"]["running"] == 1
    (hold,) = hold_rows(desk.state)
    assert (hold["rule"], hold["days"]) == ("susar", None)
    desk.must(MONITOR, c.AdjudicateDlt("001", c.DltStatus.DLT, "grade 4", "5"), days=9)
    late = {(row["purpose"], row["jurisdiction"]): row for row in clock_rows(desk.state)}
    assert late["SUSAR, fatal or life threatening", "EU"]["late"] == 1
    assert desk.state.at is not None
    assert desk.state.at - hold["at"] == timedelta(days=9)


def test_every_purpose_of_a_clock_has_a_name() -> None:
    assert set(get_args(Purpose)) == set(PURPOSES)


def test_reviews_are_counted_and_a_long_gap_is_late(balli: StudyFolder) -> None:
    assert [row["longest"] for row in review_rows(State(), balli)] == [None] * 4
    desk = opened(balli)
    desk.must(DATA_MANAGER, RecordAuditReview("late-entries", 1, 9, 2, "c" * 64, "", "sound"), days=29)
    desk.must(ADMINISTRATOR, ReviewAccess(access_hash(desk.state), (), "all needed"), days=1)
    assert desk.state.opened_at is not None
    rows = {row["title"]: row for row in review_rows(desk.state, balli)}
    entries, rights = rows["Data entered late"], rows["All rights as they are"]
    assert (entries["signed"], entries["rows"], entries["upto"], entries["late"]) == (1, 2, 9, False)
    assert (rights["signed"], rights["rows"], rights["every"]) == (1, len(standing_rights(desk.state)), 90)
    never = rows["Rights given and taken"]
    since = (desk.now - desk.state.opened_at) / timedelta(days=1)
    assert (never["signed"], never["last"], never["longest"], never["late"]) == (0, None, since, since > 30)
    desk.must(MONITOR, RecordAuditReview("critical-changes", 1, 20, 0, "c" * 64, "", "sound"), days=31)
    again = {row["title"]: row for row in review_rows(desk.state, balli)}
    assert again["Data entered late"]["late"]
    shown = values(desk.state)
    assert shown["Reviews of the audit trail"] == ("2", "signed, on 2 rows")
    assert shown["Reviews of access"] == ("1", "signed; 0 rights taken away")
    assert shown["Emergency rights, notices"][0] == "0, 0"
