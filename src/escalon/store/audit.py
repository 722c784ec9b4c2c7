"""The audit trail of a ledger as rows, read block by block: a ledger of any length takes the memory of its patients."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.db import connections

from escalon.conduct.oversight.select import pin, selects
from escalon.conduct.oversight.trail import Line, Row, Trail, occurred_items
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.oversight import AuditSelection
from escalon.store.chain import Entry
from escalon.store.connection import LedgerUnavailable, connect, disconnect
from escalon.store.facts import to_fact
from escalon.store.ledger import iterate_entries, study_ids

BLOCK = 2000
Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class AuditTrail:
    """The trail of one study, open for reading; close it after use."""

    alias: str
    study_id: str
    last: int

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        disconnect(self.alias)

    def rows(
        self, folder: StudyFolder, upto: int | None = None, known: int | None = None, told: Told | None = None
    ) -> Iterator[Row]:
        """Yield the rows of events 1 to ``upto``.

        Args:
            folder: the study; its versions name the items for late entries, its rules the days.
            upto: number of the last event; None: of the ledger.
            known: data cuts after this event are not known yet, for rows as they were then; None: all are.
            told: called after each block with the number of events read and of those to read.
        """
        last = self.last if upto is None else min(upto, self.last)
        cuts = self._cuts(self.last if known is None else known)
        trail = Trail(folder.conduct.oversight, occurred_items(folder), cuts)
        for start in range(0, last, BLOCK):
            stop = min(start + BLOCK, last)
            for entry in list(iterate_entries(self.alias, self.study_id, start, stop)):
                yield from trail.rows(to_line(entry))
            if told is not None:
                told(stop, last)

    def _cuts(self, upto: int) -> list[datetime]:
        with connections[self.alias].cursor() as cursor:
            cursor.execute(
                "SELECT at FROM ledger_event WHERE study_id = %s AND kind = 'CutTaken' AND seq <= %s",
                [self.study_id, upto],
            )
            return [datetime.fromisoformat(at) for (at,) in cursor.fetchall()]


def open_trail(url: str) -> AuditTrail:
    """Open the trail of the ledger at ``url``.

    Raises:
        LedgerUnavailable: there is none, it is empty, or it holds several studies.
    """
    alias = connect(url, create=False)
    studies = study_ids(alias)
    if len(studies) != 1:
        disconnect(alias)
        said = f"several studies: {', '.join(studies)}" if studies else "no study"
        raise LedgerUnavailable(f"{url} holds {said}")
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT max(seq) FROM ledger_event WHERE study_id = %s", [studies[0]])
        (last,) = cursor.fetchone()
    return AuditTrail(alias, studies[0], last)


def to_line(entry: Entry) -> Line:
    """Return an entry as the trail reads it."""
    fact = to_fact(entry)
    context = json.loads(entry.context) if entry.context else {}
    return Line(
        fact.seq,
        fact.at,
        fact.actor_id,
        fact.actor_role,
        fact.event,
        entry.actor_name,
        entry.org,
        entry.site,
        entry.tz,
        context.get("origin", ""),
    )


def pin_rows(
    url: str,
    folder: StudyFolder,
    selection: AuditSelection,
    first: int,
    final: int,
    known: int | None = None,
) -> tuple[int, str]:
    """Return number and hash of the rows of events ``first`` to ``final`` that ``selection`` takes; see ``select.Pin``.

    ``known`` is the event after which data cuts were not known yet; None: all cuts are.
    """
    with open_trail(url) as trail:
        rows = trail.rows(folder, upto=final, known=known)
        return pin(row for row in rows if row.seq >= first and selects(selection, row))
