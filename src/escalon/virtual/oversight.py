"""Oversight of the virtual trial: the audit trail and the rights of all people are reviewed when the study says so.

The reviewers read the trail as the ledger has it: its rows are made of the acts as they were carried out, and the rows
that a review signs can be made again from the ledger (``escalon review check``).
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from escalon.conduct.act import Actor, Event, Signed
from escalon.conduct.oversight import commands as c
from escalon.conduct.oversight.access_review import access_hash
from escalon.conduct.oversight.audit_review import reviewed_up_to
from escalon.conduct.oversight.due import reviews_due
from escalon.conduct.oversight.select import Pin, selects
from escalon.conduct.oversight.trail import Line, Row, Trail, occurred_items
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.oversight import FLAGS, AuditReviewDefinition
from escalon.virtual.clerk import Clerk, VirtualRunError
from escalon.virtual.staff import ADMINISTRATOR, DATA_MANAGER, MONITOR, PHYSICIAN

REVIEWERS = {"data_manager": DATA_MANAGER, "medical_monitor": MONITOR, "sponsor": PHYSICIAN}
ORIGIN = "virtual"


class Readers:
    """Reviews of one rhythm: they fall due together and look at the same events, so the rows are made once."""

    def __init__(self, rules: Sequence[AuditReviewDefinition], folder: StudyFolder) -> None:
        self.rules = tuple(rules)
        self._trail = Trail(folder.conduct.oversight, occurred_items(folder))
        self._unread: list[Line] = []

    def note(self, line: Line) -> None:
        """Put an event with those that are not reviewed yet."""
        self._unread.append(line)

    def read(self, state: State) -> list[Row]:
        """Return the rows of the events not reviewed so far, with the data cuts that ``state`` knows."""
        self._trail.learn_cuts([cut.at for cut in state.committee.cuts])
        lines, self._unread = self._unread, []
        return [row for line in lines for row in self._trail.rows(line)]


class Oversight:
    """Plans and signs the reviews; ``start`` it once the reviewers are registered."""

    def __init__(self, clerk: Clerk, folder: StudyFolder) -> None:
        self._clerk, self._folder = clerk, folder
        rules = folder.conduct.oversight.audit_reviews
        self._readers = [
            Readers([rule for rule in rules if rule.every_days == days], folder)
            for days in sorted({rule.every_days for rule in rules})
        ]
        clerk.witness(self._note)

    def start(self) -> None:
        """Plan the first review for the moment it is due."""
        due = [one for one in reviews_due(self._clerk.state, self._folder) if one.what != "emergency review"]
        self._clerk.at(due[0].due, self._review, beside=True)

    def finish(self, now: datetime) -> None:
        """Review what no review has covered yet, before the study is closed."""
        for readers in self._readers:
            self._review_trail(now, readers)
        self._review_access(now)

    def _note(self, before: State, signed: Signed, events: tuple[Event, ...]) -> None:
        """Keep what an act wrote into the ledger, with who acted from where as it was known then."""
        actor = signed.actor
        site, person = before.people.sites.get(actor.site), before.people.persons.get(actor.id)
        for seq, event in enumerate(events, start=before.seq + 1):
            line = Line(
                seq,
                signed.at,
                actor.id,
                actor.role,
                event,
                actor.name,
                person.organisation if person else "",
                actor.site,
                site.timezone if site else "UTC",
                ORIGIN,
            )
            for readers in self._readers:
                readers.note(line)

    def _review(self, now: datetime) -> None:
        due = {one.name for one in reviews_due(self._clerk.state, self._folder) if one.due <= now}
        for readers in self._readers:
            if readers.rules[0].id in due:
                self._review_trail(now, readers)
        if "access" in due:
            self._review_access(now)
        self.start()

    def _review_trail(self, now: datetime, readers: Readers) -> None:
        final, rows = self._clerk.state.seq, readers.read(self._clerk.state)
        for rule in readers.rules:
            reviewer = reviewer_of(rule)
            first = reviewed_up_to(self._clerk.state, rule.id) + 1
            taken = [row for row in rows if selects(rule.select, row)]
            self._clerk.send(now, reviewer, _review_of(rule, first, final, taken))

    def _review_access(self, now: datetime) -> None:
        shown = access_hash(self._clerk.state)
        self._clerk.send(now, ADMINISTRATOR, c.ReviewAccess(shown, (), "Every right is still needed"))


def reviewer_of(rule: AuditReviewDefinition) -> Actor:
    """Return who signs the reviews by ``rule``.

    Raises:
        VirtualRunError: nobody in its roles may sign a review of the trail.
    """
    for role in rule.roles:
        if role in REVIEWERS:
            return REVIEWERS[role]
    raise VirtualRunError(
        f"conduct.yaml, oversight.audit_reviews, {rule.id}: nobody signs as {', '.join(rule.roles)}; "
        f"reviews are signed as {', '.join(REVIEWERS)}"
    )


def _review_of(
    rule: AuditReviewDefinition, first: int, final: int, rows: Sequence[Row]
) -> c.RecordAuditReview:
    """The review of ``rows``, all that ``rule`` takes of the events ``first`` to ``final``."""
    pinned, flags = Pin(), Counter[str]()
    for row in rows:
        pinned.add(row)
        flags.update(row.flags)
    findings = "; ".join(f"{flags[flag]} {meaning}" for flag, meaning in FLAGS.items() if flags[flag])
    conclusion = "The reasons were read and are plausible; no action" if rows else "Nothing to look at"
    return c.RecordAuditReview(rule.id, first, final, pinned.count, pinned.hexdigest(), findings, conclusion)
