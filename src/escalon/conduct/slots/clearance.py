"""Which dose levels are cleared in which stratum (regimen and product process), by which decision.

A clearance is written as the reaction to a decision: in the stratum in use on that day, and in others only where the
study says so (``slots.clear_across_strata``). A decision for a lower level takes clearances above it back.
"""

from escalon.conduct import events as core
from escalon.conduct.act import Event, Outcome, Refused, Signed
from escalon.conduct.slots import commands as c
from escalon.conduct.slots import events as ev
from escalon.conduct.slots.approval import clearance_object, refuse_unsigned
from escalon.conduct.state import State
from escalon.protocol import StudyFolder

Stratum = tuple[str, str]


def all_strata(folder: StudyFolder) -> tuple[Stratum, ...]:
    """Return every pair of regimen and product process of the study; a study without processes has ''."""
    processes = [process.id for product in folder.study.products for process in product.processes] or [""]
    return tuple((regimen.id, process) for regimen in folder.study.regimens for process in processes)


def strata_cleared(signed: Signed, folder: StudyFolder) -> tuple[Stratum, ...]:
    """Return the strata a decision of this moment clears: the one in use, and those the study joins to it."""
    day = signed.at.date()
    regimen, process = folder.study.regimen_on(day).id, folder.study.process_on(day) or ""
    across = folder.conduct.slots.clear_across_strata
    return tuple(
        (other, made)
        for other, made in all_strata(folder)
        if (other == regimen or across in ("regimen", "both"))
        and (made == process or across in ("process", "both"))
    )


def follow_decision(
    state: State, events: tuple[Event, ...], signed: Signed, folder: StudyFolder
) -> tuple[Event, ...]:
    """Return the clearances given and taken back by the decisions among ``events``; ``state`` is after them."""
    facts: list[Event] = []
    for event in events:
        if isinstance(event, core.CommitteeDecided) and event.action == "de_escalate":
            assert event.dose_level is not None
            facts += [
                ev.ClearanceRevoked(one.number, event.decision, f"de-escalation to level {event.dose_level}")
                for one in state.slots.clearances
                if one.revoked_at is None and one.dose_level > event.dose_level
            ]
        if isinstance(event, core.CohortOpened):
            revoked = {fact.clearance for fact in facts if isinstance(fact, ev.ClearanceRevoked)}
            facts += _cleared(state, event.dose_level, revoked, len(facts) - len(revoked), signed, folder)
    return tuple(facts)


def _cleared(
    state: State, level: int, revoked: set[int], written: int, signed: Signed, folder: StudyFolder
) -> list[Event]:
    number, decision = len(state.slots.clearances) + written, state.decisions[-1].number
    facts: list[Event] = []
    for regimen, process in strata_cleared(signed, folder):
        reached = max(
            (
                one.dose_level
                for one in state.slots.clearances
                if (one.regimen, one.process) == (regimen, process)
                and one.revoked_at is None
                and one.number not in revoked
            ),
            default=0,
        )
        if reached < level:
            number += 1
            facts.append(ev.LevelCleared(number, regimen, process, level, decision))
    return facts


def clear_level(state: State, signed: Signed, command: c.ClearLevel, folder: StudyFolder) -> Outcome:
    """Clear a level in another stratum: never above the highest level any stratum has."""
    if (command.regimen, command.process) not in all_strata(folder):
        return Refused("INV-4 stratum", f"the study has no stratum {command.regimen} / {command.process}")
    standing = [one.dose_level for one in state.slots.clearances if one.revoked_at is None]
    if not state.decisions or not 1 <= command.dose_level <= max(standing, default=0):
        return Refused(
            "INV-3 dose-lock", f"level {command.dose_level} was cleared by no decision in any stratum"
        )
    if state.slots.cleared_up_to(command.regimen, command.process) >= command.dose_level:
        return Refused("INV-4 stratum", f"level {command.dose_level} is cleared there already")
    if not command.reason.strip():
        return Refused("reason", "a clearance needs a reason")
    about = clearance_object(command.regimen, command.process, command.dose_level, command.reason)
    refused = refuse_unsigned(state, "INV-4 signatures", about, command.signers, 2)
    if refused is not None:
        return refused
    number, decision = len(state.slots.clearances) + 1, state.decisions[-1].number
    return (ev.LevelCleared(number, command.regimen, command.process, command.dose_level, decision),)


def refuse_level(state: State, dose_level: int, regimen: str, process: str) -> Refused | None:
    """Refuse a level above what an unrevoked decision cleared in this stratum (INV-3, INV-4)."""
    cleared = state.slots.cleared_up_to(regimen, process)
    if dose_level <= cleared:
        return None
    stratum = f"{regimen} with process {process}" if process else regimen
    upto = f"levels up to {cleared} are" if cleared else "no level is"
    return Refused(
        "dose-lock", f"level {dose_level} is not cleared for {stratum}: {upto} cleared there (INV-3, INV-4)"
    )
