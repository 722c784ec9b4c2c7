"""The topic custody: a restored ledger says so, with what it was verified against."""

from dataclasses import dataclass, fields

from escalon.conduct.act import Command, Event, Outcome, Refused, Signed
from escalon.conduct.state import Fact, State
from escalon.conduct.topic import Topic
from escalon.protocol import StudyFolder


@dataclass(frozen=True, slots=True)
class RecordRestore(Command):
    """Record that the ledger was restored from a backup; the fields are those of ``LedgerRestored``."""

    backup_at: str
    events: int
    head: str
    known_head: str
    reason: str
    known_upto: int = 0
    signed_by: str = ""
    accounts: int | None = None


@dataclass(frozen=True, slots=True)
class LedgerRestored(Event):
    """The ledger up to the event before this one came from a backup made at ``backup_at`` and verified.

    ``known_head`` is a hash known outside, the last external root ('' for none), and ``known_upto`` the number of its
    event: what follows it nobody outside vouches for. ``signed_by`` is the public key of the manifest ('' for none),
    ``accounts`` how many accounts came back (None: they were not restored with the ledger).
    """

    backup_at: str
    events: int
    head: str
    known_head: str
    reason: str
    known_upto: int = 0
    signed_by: str = ""
    accounts: int | None = None


def _record(state: State, signed: Signed, command: RecordRestore, folder: StudyFolder) -> Outcome:
    if not command.reason.strip():
        return Refused("OP-1 reason", "say why the ledger was restored")
    if command.events != state.seq:
        return Refused(
            "OP-1 restore", f"the backup holds {command.events} events, the restored ledger {state.seq}"
        )
    if bool(command.known_head) != (0 < command.known_upto <= command.events):
        return Refused(
            "OP-1 restore", "a hash known outside belongs to an event of the backup, by its number"
        )
    return (LedgerRestored(**{item.name: getattr(command, item.name) for item in fields(LedgerRestored)}),)


def _restored(state: State, fact: Fact, event: LedgerRestored) -> State:
    return state


TOPIC = Topic(
    "custody",
    {RecordRestore: _record},
    {RecordRestore: ("administrator", "sponsor")},
    {LedgerRestored: _restored},
    after_closure=frozenset((RecordRestore,)),
)
