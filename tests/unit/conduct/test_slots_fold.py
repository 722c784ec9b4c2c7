"""The facts of slots survive writing and reading, and each has its place in the state."""

from datetime import UTC, datetime

import pytest

from escalon.conduct.act import Event
from escalon.conduct.encoding import decode, encode
from escalon.conduct.events import DltStatus
from escalon.conduct.slots import events as ev
from escalon.conduct.slots.apply import APPLY

MOMENT = datetime(2021, 5, 4, 10, 30, tzinfo=UTC)
TWO = ("Chair", "Sponsor physician")
EVENTS: list[Event] = [
    ev.SlotRequested(1, "01", "C-1"),
    ev.SlotWaitlisted(1, 2),
    ev.SlotReserved(1, 1, 3, MOMENT, 2, "first in the queue"),
    ev.SlotConfirmed(1, "001", "2021-05-03"),
    ev.SlotReleased(1, "handed back"),
    ev.SeatAdded(1, 4, "002", "under the minimum dose", TWO),
    ev.LevelCleared(1, "FC", "P1", 2, 3),
    ev.ClearanceRevoked(1, 4, "de-escalated"),
    ev.SentinelCleared(1, "001", "no toxicity", ("Chair",)),
    ev.DecisionAcknowledged(1, "01"),
    ev.EligibilityConfirmed("001", "Investigator"),
    ev.StaggerOverridden("002", MOMENT, MOMENT, "product expires", TWO),
    ev.InfusionPermitted("001", 1, MOMENT, MOMENT, "ST-1", True, TWO),
    ev.InfusionCorrected("001", MOMENT, 0.95),
    ev.RedosingApproved("001", 2, 1, "loss of cells", TWO),
    ev.PatientReinfused("001", 2, MOMENT, 1.0),
    ev.PatientReinfused("001", 2, MOMENT, 1.0, "EX-CELLS-2", 1e5, "L-2"),
    ev.ReinfusionPermitted("001", 2, MOMENT, MOMENT, "RE-2", 1, "FC", "P1"),
    ev.ReinfusionCorrected("001", 2, MOMENT, 0.9, 9e4, "L-2"),
    ev.ExposureAdjudicated("001", 2, DltStatus.DLT, "5", "pneumonitis", "grade 4", True),
    ev.ExposureReopened("001", 2, "late event"),
    ev.WindowReopened("001", "late event"),
    ev.WindowJudged("001"),
    ev.DecisionInputsChanged(1, "001", "NO_DLT", "DLT"),
    ev.DeviationRecorded("002", "INV-6 stagger", "one hour early"),
    ev.TaskOpened(1, "decision:1", "inputs changed"),
    ev.TaskClosed(1, "seen"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_survives_writing_and_reading(event: Event) -> None:
    kind, payload = encode(event)
    assert decode(kind, payload) == event
    assert payload.isascii()


def test_a_further_infusion_of_an_earlier_release_is_read() -> None:
    old = '{"dose_fraction":1.0,"exposure":2,"infused_at":"2021-05-04T10:30:00.000000+00:00","patient":"001"}'
    assert decode("PatientReinfused", old) == ev.PatientReinfused("001", 2, MOMENT, 1.0, "", None, "")


def test_every_kind_of_event_is_exercised() -> None:
    assert {type(event) for event in EVENTS} == set(APPLY)
