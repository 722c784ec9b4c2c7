"""Send a command of a registered person to a ledger, at this moment and on the version of the study in force."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from escalon.conduct.act import Actor, Command, Event
    from escalon.conduct.state import State
    from escalon.protocol import StudyFolder


Study = Annotated[
    Path | None,
    typer.Option("--study", help="Study folder; default: the version in force, which the ledger keeps."),
]


def folder_of(ledger: str, study: Path | None) -> "StudyFolder":
    """Return the study folder at ``study``; without one the version in force that the ledger keeps."""
    from escalon.pipeline import open_study

    return current(ledger, None)[1] if study is None else open_study(study)


def current(ledger: str, study: Path | None) -> "tuple[State, StudyFolder]":
    """Return the state of the ledger and the version of the study in force; ``study`` if the ledger keeps none."""
    from escalon.conduct.fold import fold
    from escalon.conduct.replay import version_in_force
    from escalon.pipeline import open_study
    from escalon.store.ledger import read_facts
    from escalon.store.study_versions import all_versions

    state = fold(read_facts(ledger))
    return state, version_in_force(state, all_versions(ledger, None if study is None else open_study(study)))


def carry_out(
    ledger: str, study: Path | None, by: str, command: "Command", folder: "StudyFolder | None" = None
) -> "tuple[Event, ...]":
    """Send ``command`` at this moment; ValueError with the rule and its sentence if it is refused."""
    from escalon.conduct.act import Refused, Signed
    from escalon.store.execute import LedgerWriter

    state, in_force = current(ledger, study)
    at = datetime.now(UTC)
    actor = actor_of(state, by, command, at)
    with LedgerWriter(ledger, folder or in_force, origin="system") as writer:
        outcome = writer.execute(Signed(command, actor, at))
    if isinstance(outcome, Refused):
        raise ValueError(f"{outcome.reason} ({outcome.rule}); nothing was written")
    return outcome


def actor_of(
    state: "State", by: str, command: "Command", at: datetime, roles: tuple[str, ...] | None = None
) -> "Actor":
    """Return ``by`` in the first role held now that may send ``command``; ValueError if there is none.

    ``roles`` narrows the roles that come into question.
    """
    from escalon.conduct.act import Actor
    from escalon.conduct.people.rights import rights_on
    from escalon.conduct.roles import ALLOWED

    person = state.people.persons.get(by)
    if person is None:
        raise ValueError(
            f"--by {by}: no person with this id is registered in the ledger; nothing was written"
        )
    allowed = tuple(role for role in ALLOWED[type(command)] if roles is None or role in roles)
    right = next((one for one in rights_on(state, by, at) if one.role in allowed), None)
    if right is None:
        raise ValueError(
            f"--by {by}: {person.name} is none of {', '.join(allowed)} at this time; nothing was written"
        )
    return Actor(by, person.name, right.role, right.site)
