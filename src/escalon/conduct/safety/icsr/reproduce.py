"""A report that was sent, written again from the facts before it."""

from collections.abc import Sequence
from dataclasses import dataclass

from escalon.conduct.fold import fold
from escalon.conduct.safety.events import ReportSubmitted
from escalon.conduct.safety.icsr.send import Written, region_of, write_report
from escalon.conduct.state import Fact
from escalon.criteria.dictionaries import EventDictionary
from escalon.protocol import StudyFolder


@dataclass(frozen=True, slots=True)
class Reproduced:
    """A report written again, and the hash the ledger holds."""

    report: int
    case: int
    region: str
    written: Written
    recorded_hash: str

    @property
    def same(self) -> bool:
        """Tell whether the file is the very one that was sent."""
        return self.written.hash == self.recorded_hash


def reproduce_report(
    facts: Sequence[Fact], number: int, folder: StudyFolder, dictionary: EventDictionary | None = None
) -> Reproduced:
    """Write report ``number`` again on the facts known when it was sent, with the moment of sending as its creation.

    Raises:
        ValueError: no such report, or it is no report on a case.
    """
    sent = [(index, fact) for index, fact in enumerate(facts) if isinstance(fact.event, ReportSubmitted)]
    if not 1 <= number <= len(sent):
        raise ValueError(f"report {number}: there is none; {len(sent)} were sent")
    index, fact = sent[number - 1]
    event = fact.event
    assert isinstance(event, ReportSubmitted)
    if not event.case:
        raise ValueError(f"report {number} is on a matter apart from cases; no message is written for it")
    state = fold(facts[:index])
    clock = state.safety.clocks[event.clock - 1]
    region = region_of(clock.jurisdiction)
    written = write_report(
        state, folder, event.case, fact.at, region, purpose=clock.purpose, dictionary=dictionary
    )
    return Reproduced(number, event.case, region, written, event.content_hash)
