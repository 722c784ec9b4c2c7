"""One pass over a ledger: its state at a moment, and beside it what the state does not keep of each patient."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from escalon.conduct import events as core
from escalon.conduct.capture import events as capture
from escalon.conduct.fold import apply
from escalon.conduct.people.events import SignatureGiven, SignatureInvalidated
from escalon.conduct.redaction.events import ValueRedacted
from escalon.conduct.slots import events as slots
from escalon.conduct.state import Fact, State
from escalon.report.casebook.stamp import Stamp, stamp_of
from escalon.store.chain import GENESIS, Entry
from escalon.store.facts import to_fact

OF_PATIENT = (
    core.PatientEnrolled,
    core.DoseAssigned,
    core.PatientInfused,
    core.SeatReleased,
    core.DltAdjudicated,
    capture.CheckOverridden,
    capture.SourceVerified,
    capture.CriticalConfirmed,
    capture.MarksWithdrawn,
    capture.RecordsFrozen,
    capture.RecordsUnfrozen,
    capture.CasebookLocked,
    capture.CasebookUnlocked,
    capture.PatientVersionSet,
    slots.SlotConfirmed,
    slots.InfusionCorrected,
    slots.PatientReinfused,
    slots.ReinfusionCorrected,
    slots.ExposureAdjudicated,
    slots.ExposureReopened,
    slots.WindowReopened,
    slots.DeviationRecorded,
    slots.EligibilityConfirmed,
)
"""Facts whose history is shown; each has a field ``patient``."""
TURNS = (capture.QueryOpened, capture.QueryAnswered, capture.QueryClosed, capture.QueryReopened)


@dataclass(slots=True)
class Gathered:
    """What one pass over a ledger gives.

    Attributes:
        state: the fold of the events shown.
        stamps: circumstances of every event shown, by number.
        facts: facts of ``OF_PATIENT`` by patient, in order.
        turns: numbers of the events of each query, in order.
        given, voided: numbers of the events that gave and voided each signature.
        causes: by the event that voided a signature, the change behind it (a version of a record).
        redacted: by event, the numbers of the events that redacted values of it, also those after the moment shown.
        head, seq: the last event shown.
        ledger_head, ledger_seq: the last event of the ledger.
    """

    state: State = field(default_factory=State)
    stamps: dict[int, Stamp] = field(default_factory=dict)
    facts: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    turns: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    given: dict[int, int] = field(default_factory=dict)
    voided: dict[int, int] = field(default_factory=dict)
    causes: dict[int, core.FormRecorded] = field(default_factory=dict)
    redacted: dict[int, list[tuple[Stamp, ValueRedacted]]] = field(default_factory=lambda: defaultdict(list))
    head: str = GENESIS
    seq: int = 0
    ledger_head: str = GENESIS
    ledger_seq: int = 0


def gather(entries: Iterable[Entry], as_of: datetime | None = None) -> Gathered:
    """Read the entries of one study in order, once.

    Args:
        entries: redacted ones with what is to be read instead.
        as_of: the last moment shown (UTC, inclusive); None: everything. What was redacted after it reads "redacted"
            all the same: the value is gone.
    """
    found = Gathered()
    changed: dict[tuple[str, str], core.FormRecorded] = {}
    for entry in entries:
        found.ledger_head, found.ledger_seq = entry.hash, entry.seq
        if as_of is not None and datetime.fromisoformat(entry.at) > as_of:
            if entry.kind == ValueRedacted.__name__:
                _note_redaction(found, stamp_of(entry), to_fact(entry).event)
            continue
        fact, stamp = to_fact(entry), stamp_of(entry)
        found.head, found.seq = entry.hash, entry.seq
        found.stamps[entry.seq] = stamp
        found.state = apply(found.state, fact)
        _note(found, fact, stamp, changed)
    return found


def _note(
    found: Gathered, fact: Fact, stamp: Stamp, changed: dict[tuple[str, str], core.FormRecorded]
) -> None:
    event = fact.event
    if isinstance(event, OF_PATIENT):
        found.facts[event.patient].append(fact)
    elif isinstance(event, core.FormRecorded):
        changed[stamp.request, event.record] = event
    elif isinstance(event, TURNS):
        found.turns[event.query].append(fact.seq)
    elif isinstance(event, SignatureGiven):
        found.given[event.signature] = fact.seq
    elif isinstance(event, SignatureInvalidated):
        found.voided[event.signature] = fact.seq
        # The event says in words which record was changed or added; the change itself is of the same act.
        cause = changed.get((stamp.request, event.reason.partition(" was ")[0]))
        if cause is not None:
            found.causes[fact.seq] = cause
    elif isinstance(event, ValueRedacted):
        _note_redaction(found, stamp, event)


def _note_redaction(found: Gathered, stamp: Stamp, event: object) -> None:
    assert isinstance(event, ValueRedacted)
    found.redacted[event.target_seq].append((stamp, event))
