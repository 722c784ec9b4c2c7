"""The topic custody: a restored ledger says so, with what it was verified against."""

from dataclasses import dataclass

from escalon.conduct.act import Command, Event, Outcome, Refused, Signed
from escalon.conduct.state import Fact, State
from escalon.conduct.topic import Topic
from escalon.protocol import StudyFolder


@dataclass(frozen=True, slots=True)
class RecordRestore(Command):
    """Record that the ledger was restored from a backup; ``known_head`` is a hash known outside, '' for none."""

    backup_at: str
    events: int
    head: str
    known_head: str
    reason: str


@dataclass(frozen=True, slots=True)
class LedgerRestored(Event):
    """The ledger up to the event before this one came from a backup made at ``backup_at`` and verified."""

    backup_at: str
    events: int
    head: str
    known_head: str
    reason: str


def _record(state: State, signed: Signed, command: RecordRestore, folder: StudyFolder) -> Outcome:
    if not command.reason.strip():
        return Refused("OP-1 reason", "say why the ledger was restored")
    if command.events != state.seq:
        return Refused(
            "OP-1 restore", f"the backup holds {command.events} events, the restored ledger {state.seq}"
        )
    restored = LedgerRestored(
        command.backup_at, command.events, command.head, command.known_head, command.reason
    )
    return (restored,)


def _restored(state: State, fact: Fact, event: LedgerRestored) -> State:
    return state


TOPIC = Topic(
    "custody",
    {RecordRestore: _record},
    {RecordRestore: ("administrator", "sponsor")},
    {LedgerRestored: _restored},
    after_closure=frozenset((RecordRestore,)),
)
