"""Acts to write into a ledger: what ``tests.act.opened`` sends, then two enrolments."""

from unittest.mock import patch

from escalon.conduct import commands as c
from escalon.conduct.act import Command, Event
from escalon.protocol import StudyFolder
from tests import act


class RecordingDesk(act.Desk):
    """A desk that keeps what it was sent."""

    def __init__(self, folder: StudyFolder) -> None:
        super().__init__(folder)
        self.sent: list[c.Signed] = []
        self.events: list[Event] = []

    def send(self, actor: c.Actor, command: Command, *, days: float = 0) -> tuple[Event, ...] | c.Refused:
        outcome = super().send(actor, command, days=days)
        if not isinstance(outcome, c.Refused):
            self.sent.append(c.Signed(command, actor, self.now))
            self.events += outcome
        return outcome


def recording_desk(folder: StudyFolder) -> RecordingDesk:
    """The desk of ``tests.act.opened``, with everything it was sent."""
    with patch.object(act, "Desk", RecordingDesk):
        desk = act.opened(folder)
    assert isinstance(desk, RecordingDesk)
    return desk


_TOLD: dict[str, RecordingDesk] = {}


def story(folder: StudyFolder) -> RecordingDesk:
    """An open study with two patients enrolled; told once for each folder."""
    if folder.hash not in _TOLD:
        _TOLD[folder.hash] = _tell(folder)
    return _TOLD[folder.hash]


def _tell(folder: StudyFolder) -> RecordingDesk:
    desk = recording_desk(folder)
    for patient in ("001", "002"):
        act.enrol(desk, patient)
    return desk


def commands(folder: StudyFolder) -> list[c.Signed]:
    """All acts of the story, in order."""
    return list(story(folder).sent)


def event_count(folder: StudyFolder) -> int:
    """Events the story writes."""
    return len(story(folder).events)
