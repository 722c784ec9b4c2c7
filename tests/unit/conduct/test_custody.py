"""A restore is recorded with what it was verified against."""

from escalon.conduct.act import Event
from escalon.conduct.custody.topic import TOPIC, LedgerRestored, RecordRestore
from escalon.conduct.encoding import decode, encode
from escalon.protocol import StudyFolder
from tests.act import SPONSOR, opened

EVENTS: list[Event] = [
    LedgerRestored("2026-11-22T12:00:00+00:00", 17, "a" * 64, "", "disk failure"),
    LedgerRestored("2026-11-22T12:00:00+00:00", 17, "a" * 64, "b" * 64, "disk failure", 12, "c" * 64, 5),
]


def test_events_survive_writing_and_reading() -> None:
    assert {type(event) for event in EVENTS} == set(TOPIC.apply)
    for event in EVENTS:
        assert decode(*encode(event)) == event


def test_only_the_very_number_of_events_is_recorded(balli: StudyFolder) -> None:
    desk = opened(balli)
    said = ("2026-11-22T12:00:00+00:00", desk.state.seq, "a" * 64, "")
    assert desk.refused(SPONSOR, RecordRestore(*said, " ")).rule == "OP-1 reason"
    wrong = (said[0], said[1] + 1, *said[2:])
    assert desk.refused(SPONSOR, RecordRestore(*wrong, "disk failure")).rule == "OP-1 restore"
    assert isinstance(desk.must(SPONSOR, RecordRestore(*said, "disk failure"))[0], LedgerRestored)


def test_a_root_known_outside_comes_with_the_number_of_its_event(balli: StudyFolder) -> None:
    desk = opened(balli)
    said, seq = ("2026-11-22T12:00:00+00:00", desk.state.seq, "a" * 64), desk.state.seq
    for known, upto in (("b" * 64, 0), ("b" * 64, seq + 1), ("", 3)):
        wrong = RecordRestore(*said, known, "disk failure", upto)
        assert desk.refused(SPONSOR, wrong).rule == "OP-1 restore"
    desk.must(SPONSOR, RecordRestore(*said, "b" * 64, "disk failure", seq))


def test_an_event_written_before_roots_had_numbers_is_read() -> None:
    payload = '{"backup_at":"2026","events":3,"head":"a","known_head":"b","reason":"x"}'
    assert decode("LedgerRestored", payload) == LedgerRestored("2026", 3, "a", "b", "x", 0, "", None)
