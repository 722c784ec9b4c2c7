"""The audit trail from a ledger, on each database: all of it, block by block, and pinned again as it was."""

import pytest

from escalon.conduct.act import Refused
from escalon.conduct.oversight.select import pin, selects
from escalon.conduct.oversight.trail import Line, Trail, occurred_items
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.oversight import AuditSelection
from escalon.store import audit
from escalon.store.connection import LedgerUnavailable
from escalon.store.execute import LedgerWriter
from tests.unit.store.acts import commands, event_count, story


@pytest.fixture
def ledger(url: str, balli: StudyFolder) -> str:
    with LedgerWriter(url, balli, origin="ui") as writer, writer.batch():
        for signed in commands(balli):
            assert not isinstance(writer.execute(signed), Refused)
    return url


@pytest.mark.parametrize("block", [1, 7, 2000])
def test_every_event_is_read_once_in_order_whatever_the_block(
    ledger: str, balli: StudyFolder, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "BLOCK", block)
    told: list[tuple[int, int]] = []
    with audit.open_trail(ledger) as trail:
        rows = list(trail.rows(balli, told=lambda done, total: told.append((done, total))))
    count = event_count(balli)
    assert list(dict.fromkeys(row.seq for row in rows)) == list(range(1, count + 1))
    assert told[-1] == (count, count)
    assert {row.origin for row in rows} == {"ui"}
    assert {row.tz for row in rows if row.acting_for == "01"} == {"America/New_York"}


def test_rows_are_those_of_the_facts(ledger: str, balli: StudyFolder) -> None:
    facts = story(balli).facts
    cuts = [fact.at for fact in facts if type(fact.event).__name__ == "CutTaken"]
    made = Trail(balli.conduct.oversight, occurred_items(balli), cuts)
    lines = (Line(one.seq, one.at, one.actor_id, one.actor_role, one.event) for one in facts)
    expected = [row for line in lines for row in made.rows(line)]
    with audit.open_trail(ledger) as trail:
        rows = list(trail.rows(balli))
    assert pin(rows) == pin(expected)
    assert [(row.seq, row.item, row.old, row.new) for row in rows] == [
        (row.seq, row.item, row.old, row.new) for row in expected
    ]


def test_a_pin_is_of_its_range_and_selection(ledger: str, balli: StudyFolder) -> None:
    wish = AuditSelection(kinds=("RoleGranted",))
    count = event_count(balli)
    with audit.open_trail(ledger) as trail:
        seqs = [row.seq for row in trail.rows(balli) if selects(wish, row)]
    whole = audit.pin_rows(ledger, balli, wish, 1, count)
    assert whole[0] == len(seqs)
    assert audit.pin_rows(ledger, balli, wish, 1, seqs[2])[0] == 3
    assert audit.pin_rows(ledger, balli, wish, seqs[1], seqs[2])[0] == 2
    assert audit.pin_rows(ledger, balli, wish, 1, count) == whole
    assert audit.pin_rows(ledger, balli, wish, seqs[0] + 1, count)[1] != whole[1]


def test_an_empty_ledger_says_so(url: str, balli: StudyFolder) -> None:
    LedgerWriter(url, balli).close()
    with pytest.raises(LedgerUnavailable, match="no study"):
        audit.open_trail(url)
