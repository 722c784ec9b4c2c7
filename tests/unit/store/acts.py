"""Acts to write into a ledger: what ``tests.act.opened`` sends, then two enrolments."""

from escalon.conduct import commands as c
from escalon.protocol import StudyFolder
from tests import act

_TOLD: dict[str, act.Desk] = {}


def story(folder: StudyFolder) -> act.Desk:
    """An open study with two patients enrolled; told once for each folder."""
    if folder.hash not in _TOLD:
        _TOLD[folder.hash] = _tell(folder)
    return _TOLD[folder.hash]


def _tell(folder: StudyFolder) -> act.Desk:
    desk = act.opened(folder)
    for patient in ("001", "002"):
        act.enrol(desk, patient)
    return desk


def commands(folder: StudyFolder) -> list[c.Signed]:
    """All acts of the story, in order."""
    return list(story(folder).sent)


def event_count(folder: StudyFolder) -> int:
    """Events the story writes."""
    return len(story(folder).facts)


def after_story(folder: StudyFolder) -> act.Desk:
    """A desk of its own that goes on after the story; what it was ``sent`` begins with the story."""
    told = story(folder)
    desk = act.Desk(folder)
    desk.state, desk.now = told.state, told.now
    desk.sent, desk.facts = list(told.sent), list(told.facts)
    return desk
