"""The calendar of the virtual trial: order, what goes on beside it, and who is told of an act."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from escalon.conduct import commands as c
from escalon.conduct.act import Event, Refused, Signed
from escalon.conduct.decide import decide
from escalon.conduct.events import StudyOpened
from escalon.conduct.fold import apply
from escalon.conduct.state import Fact, State
from escalon.protocol import StudyFolder
from escalon.virtual.clerk import Clerk
from escalon.virtual.staff import SPONSOR

START = datetime(2021, 5, 4, 9, tzinfo=UTC)
DAY = timedelta(days=1)


class OneState:
    """Decide and fold, nothing kept."""

    def __init__(self, folder: StudyFolder) -> None:
        self.folder, self.state = folder, State()

    @contextmanager
    def batch(self) -> Iterator[None]:
        yield

    def execute(self, signed: Signed) -> tuple[Event, ...] | Refused:
        outcome = decide(self.state, signed, self.folder)
        for event in () if isinstance(outcome, Refused) else outcome:
            fact = Fact(self.state.seq + 1, signed.at, signed.actor.id, signed.actor.role, event)
            self.state = apply(self.state, fact)
        return outcome


def test_what_goes_on_beside_the_trial_is_done_in_order_and_keeps_nothing_open(balli: StudyFolder) -> None:
    clerk, done = Clerk(OneState(balli)), list[str]()

    def monthly(now: datetime) -> None:
        done.append(f"review {now:%d}")
        clerk.at(now + DAY, monthly, beside=True)

    clerk.at(START + DAY, monthly, beside=True)
    assert (clerk.busy, clerk.last_entry) == (False, None)
    clerk.at(START + 3 * DAY, lambda now: done.append(f"visit {now:%d}"))
    assert (clerk.busy, clerk.last_entry) == (True, START + 3 * DAY)
    counted: list[tuple[int, int]] = []
    clerk.work(lambda moment, finished, to_come: counted.append((finished, to_come)))
    assert done == ["review 05", "review 06", "visit 07"]
    assert counted[-1] == (1, 0)
    assert not clerk.busy


def test_a_witness_is_told_before_who_listens_and_of_the_state_before(balli: StudyFolder) -> None:
    clerk, told = Clerk(OneState(balli)), list[tuple[str, int]]()
    clerk.listen(StudyOpened, lambda now, event: told.append(("listener", clerk.state.seq)))
    clerk.witness(lambda before, signed, events: told.append(("witness", before.seq)))
    events = clerk.send(START, SPONSOR, c.OpenStudy(balli.hash, "test", "virtual"))
    assert told == [("witness", 0), ("listener", len(events))]
