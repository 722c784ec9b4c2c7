"""Codes of a dictionary as facts: what a new version changes, and that all events change together."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from escalon.conduct import commands as c
from escalon.conduct.safety import commands as sc
from escalon.conduct.safety.coding import Impact, impact
from escalon.conduct.safety.icsr.send import write_report
from escalon.criteria.dictionaries import EventCode, EventDictionary
from escalon.protocol import StudyFolder
from tests.act import COORDINATOR, DATA_MANAGER, INVESTIGATOR, Desk, adverse_event
from tests.unit.conduct.test_safety import assess, record, with_event

COUGH = EventCode(
    "99000001", "Pneumonitis", "99100001", "Toy lung", "9", "h", "9", "g", "99400001", "Toy organ"
)
RASH = EventCode("99000002", "Sepsis", "99100002", "Toy blood", "9", "h", "9", "g", "99400002", "Toy body")
OTHER = EventCode(
    "99000003", "Toy other", "99100001", "Toy lung", "9", "h", "9", "g", "99400001", "Toy organ"
)


def dictionary(*rows: EventCode, version: str = "27.0") -> EventDictionary:
    return EventDictionary(version, MappingProxyType({row.llt_term.lower(): row for row in rows}))


@pytest.fixture
def desk(balli: StudyFolder) -> Desk:
    """A pneumonitis and a sepsis."""
    desk = with_event(balli)
    sepsis = adverse_event(desk, AETERM="Sepsis", AEDECOD="Sepsis")
    desk.must(COORDINATOR, c.RecordForm("001", "AE", "AE-2", sepsis))
    return desk


def code(desk: Desk, found: tuple[Impact, ...], version: str = "27.0", reason: str = "") -> sc.CodeTerms:
    return sc.CodeTerms(version, tuple(one.code() for one in found), reason)


def standings(desk: Desk, *rows: EventCode, **choices: str) -> list[str]:
    chosen = {("001", key.replace("_", "-")): term for key, term in choices.items()}
    return [one.standing for one in impact(desk.state, dictionary(*rows), chosen)]


def test_events_are_coded_once_and_the_next_version_tells_what_it_changes(desk: Desk) -> None:
    first = impact(desk.state, dictionary(COUGH, RASH))
    assert [(one.record, one.standing) for one in first] == [("AE-1", "new"), ("AE-2", "new")]
    desk.must(DATA_MANAGER, code(desk, first))
    coding = desk.state.safety.coding_of("001", "AE-1")
    assert coding is not None
    assert (coding.llt_code, coding.pt_term, coding.version, coding.at) == (
        "99000001",
        "Toy lung",
        "27.0",
        desk.now,
    )
    assert standings(desk, COUGH, RASH) == ["same", "same"]
    assert standings(desk, replace(COUGH, pt_code="99100009"), RASH) == ["PT", "same"]
    assert standings(desk, replace(COUGH, pt_term="Toy lungs"), RASH) == ["PT", "same"]
    assert standings(desk, COUGH, replace(RASH, pt_code="99100009", soc_code="99400001")) == [
        "same",
        "PT, SOC",
    ]
    assert standings(desk, replace(COUGH, current=False), RASH) == ["retired", "same"]
    assert standings(desk, RASH) == ["not found", "same"]
    assert standings(desk, RASH, OTHER, AE_1="Toy other") == ["LLT", "same"]
    assert standings(desk, replace(COUGH, llt_term="Renamed"), RASH) == ["same", "same"]


def test_all_coded_events_go_over_together_and_with_a_reason(desk: Desk) -> None:
    desk.must(DATA_MANAGER, code(desk, impact(desk.state, dictionary(COUGH, RASH))))
    moved = impact(desk.state, dictionary(replace(COUGH, pt_code="99100009"), RASH, version="27.1"))
    assert desk.refused(DATA_MANAGER, code(desk, moved[:1], "27.1", "yearly")).rule == "SF-14 version"
    assert desk.refused(DATA_MANAGER, code(desk, moved, "27.1")).rule == "SF-14 reason"
    events = desk.must(DATA_MANAGER, code(desk, moved, "27.1", "yearly"))
    assert len(events) == 2
    assert {one.version for one in desk.state.safety.codings.values()} == {"27.1"}
    assert desk.state.safety.codings["001:AE-1"].pt_code == "99100009"


def test_a_record_that_says_another_word_is_to_code_again(desk: Desk) -> None:
    desk.must(DATA_MANAGER, code(desk, impact(desk.state, dictionary(COUGH, RASH))))
    record(desk, reason="typing error", AEDECOD="Sepsis", AETERM="Sepsis")
    assert standings(desk, COUGH, RASH) == ["term", "same"]
    assert standings(desk, COUGH) == ["not found", "not found"]


def test_what_is_refused(desk: Desk) -> None:
    found = impact(desk.state, dictionary(COUGH, RASH))
    one = found[0].code()
    for wrong, said in (
        (replace(one, record="AE-9"), "no such adverse event"),
        (replace(one, term="Cough"), "the record says 'Pneumonitis', not 'Cough'"),
        (replace(one, pt_code="12"), "'12' is no code of 8 digits"),
        (replace(one, soc_term=" "), "a code needs its term"),
    ):
        refused = desk.refused(DATA_MANAGER, sc.CodeTerms("27.0", (wrong,)))
        assert (refused.rule, said in refused.reason) == ("SF-14 codes", True)
    assert "coded twice" in desk.refused(DATA_MANAGER, sc.CodeTerms("27.0", (one, one))).reason
    for empty in (sc.CodeTerms(" ", (one,)), sc.CodeTerms("27.0", ())):
        assert desk.refused(DATA_MANAGER, empty).rule == "SF-14 codes"
    assert desk.refused(INVESTIGATOR, sc.CodeTerms("27.0", (one,))).rule == "role"
    with pytest.raises(ValueError, match="there is no such event"):
        standings(desk, COUGH, RASH, AE_7="Sepsis")
    with pytest.raises(ValueError, match="'Toy other' is retired"):
        standings(desk, COUGH, replace(OTHER, current=False), AE_1="Toy other")
    with pytest.raises(ValueError, match="has no current term"):
        impact(desk.state, dictionary(RASH))[0].code()


@pytest.mark.parametrize(("version", "submittable"), [("27.1", True), ("toy-1", False)])
def test_a_report_carries_the_code_the_event_has(desk: Desk, version: str, submittable: bool) -> None:
    who = {"AGE": 34, "SEX": "F", "RACE": "WHITE", "ETHNIC": "NOT REPORTED", "COUNTRY": "USA"}
    desk.must(COORDINATOR, c.RecordForm("001", "DM", "DM", who))
    assess(desk, "POSSIBLE")
    found = impact(desk.state, dictionary(COUGH, RASH, version=version))
    desk.must(DATA_MANAGER, code(desk, found, version))
    report = write_report(desk.state, desk.folder, 1, desk.now, "EU")
    assert ('code="99000001"' in report.text, report.submittable) == (True, submittable)
    record(desk, reason="typing error", AEDECOD="Sepsis", AETERM="Sepsis")
    stale = write_report(desk.state, desk.folder, 1, desk.now, "EU")
    assert ("99000001" in stale.text, stale.submittable) == (False, False)
