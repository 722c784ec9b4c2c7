"""Which reviews are due when (AT-9, AC-5, AC-12): counted from the last one, or from the opening of the study."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from escalon.conduct.oversight.audit_review import reviewed_up_to
from escalon.conduct.state import State
from escalon.protocol import StudyFolder


@dataclass(frozen=True, slots=True)
class Due:
    """A review to come: ``last`` is when it was done before, None for never; ``to_do`` says what, in words."""

    what: str
    name: str
    title: str
    roles: tuple[str, ...]
    last: datetime | None
    due: datetime
    to_do: str

    def overdue(self, at: datetime) -> bool:
        """Tell whether it should have been done before ``at``."""
        return self.due < at


def reviews_due(state: State, folder: StudyFolder) -> tuple[Due, ...]:
    """Return every review to come, the first one first; none before the study is open."""
    if state.opened_at is None:
        return ()
    found = [*_audit(state, folder), _access(state, folder), *_emergencies(state)]
    return tuple(sorted(found, key=lambda one: one.due))


def _audit(state: State, folder: StudyFolder) -> list[Due]:
    found = []
    for rule in folder.conduct.oversight.audit_reviews:
        done = [one.at for one in state.oversight.audit_reviews if one.definition == rule.id]
        last = done[-1] if done else None
        due = (last or state.opened_at or datetime.min) + timedelta(days=rule.every_days)
        todo = f"events {reviewed_up_to(state, rule.id) + 1} to {state.seq}"
        found.append(Due("audit review", rule.id, rule.title, rule.roles, last, due, todo))
    return found


def _access(state: State, folder: StudyFolder) -> Due:
    done = state.oversight.access_reviews
    last = done[-1].at if done else None
    days = folder.conduct.oversight.access_review_days
    due = (last or state.opened_at or datetime.min) + timedelta(days=days)
    roles = ("administrator", "sponsor")
    return Due("access review", "access", "All rights as they are", roles, last, due, "the table of rights")


def _emergencies(state: State) -> list[Due]:
    return [
        Due(
            "emergency review",
            f"emergency-{one.number}",
            f"{one.person} as {one.role}: {one.reason}",
            ("administrator", "sponsor"),
            None,
            one.review_due,
            f"what {one.person} did from {one.opened_at:%Y-%m-%d %H:%M} to {one.until:%Y-%m-%d %H:%M} UTC",
        )
        for one in state.oversight.emergencies
        if one.reviewed_at is None
    ]
