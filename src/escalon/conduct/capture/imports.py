"""Imports (DC-7): a file is checked row by row and staged, applied in one act, and taken back in one act.

The ledger keeps checksum and counts of a staged file, not its rows: applying gives the file again, and the checksum
says that it is the same one. So what is recorded stands in one place only, where it can be corrected and redacted.
"""

from escalon.conduct.act import Outcome, Refused, Signed
from escalon.conduct.capture import commands as c
from escalon.conduct.capture import events as ev
from escalon.conduct.capture.import_plan import Plan, checksum, plan_import
from escalon.conduct.capture.state import Import
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.imports import ImportMapping

SHOWN = 20
"""Problems a refusal names; more are counted."""


def stage_import(state: State, signed: Signed, command: c.StageImport, folder: StudyFolder) -> Outcome:
    """Check a file and keep its checksum and counts."""
    mapping = _mapping(folder, command.mapping)
    if mapping is None:
        known = ", ".join(one.id for one in folder.conduct.capture.imports) or "none"
        return Refused("DC-7 mapping", f"the study has no mapping {command.mapping!r}; it has {known}")
    digest = checksum(command.text)
    applied = [one for one in state.capture.imports if one.checksum == digest and stands(one)]
    if applied:
        return Refused("DC-7 file", f"this file was imported already, as import {applied[0].number}")
    # Whether earlier records change is known only now; the reason for it is asked when the file is applied.
    plan = plan_import(state, signed, folder, mapping, command.text, "to be given")
    refused = _refuse_plan(plan)
    if refused is not None:
        return refused
    number = len(state.capture.imports) + 1
    return (ev.ImportStaged(number, command.file, mapping.id, mapping.form, digest, plan.counts),)


def apply_import(state: State, signed: Signed, command: c.ApplyImport, folder: StudyFolder) -> Outcome:
    """Record every row of a staged file in one act, or nothing."""
    staged = find_import(state, command.number)
    if isinstance(staged, Refused):
        return staged
    if staged.applied_at is not None:
        return Refused("DC-7 applied", f"import {staged.number} was applied on {staged.applied_at:%d %b %Y}")
    digest = checksum(command.text)
    if digest != staged.checksum:
        return Refused("DC-7 checksum", f"this is not the file that was staged as import {staged.number}")
    if any(one.checksum == digest and stands(one) for one in state.capture.imports):
        return Refused("DC-7 file", "this file was imported already")
    mapping = _mapping(folder, staged.mapping)
    if mapping is None:
        return Refused(
            "DC-7 mapping", f"the study has no mapping {staged.mapping!r} any more; stage it again"
        )
    plan = plan_import(state, signed, folder, mapping, command.text, command.reason)
    refused = _refuse_plan(plan)
    if refused is not None:
        return refused
    if (plan.counts.rows, len(plan.records)) != (staged.rows, plan.counts.new + plan.counts.changed):
        return Refused("DC-7 counts", f"{staged.rows} rows were staged, {plan.counts.rows} are here")
    return (*plan.events, ev.ImportApplied(staged.number, digest, plan.counts, plan.records))


def _refuse_plan(plan: Plan) -> Refused | None:
    if not plan.problems:
        return None if plan.events else Refused("DC-7 file", "every row is recorded as it stands in the file")
    more = len(plan.problems) - SHOWN
    closing = f"; and {more} more" if more > 0 else ""
    return Refused("DC-7 fields", "; ".join(plan.problems[:SHOWN]) + closing)


def _mapping(folder: StudyFolder, name: str) -> ImportMapping | None:
    return next((one for one in folder.conduct.capture.imports if one.id == name), None)


def stands(one: Import) -> bool:
    """Tell whether an import is applied and was not taken back."""
    return one.applied_at is not None and one.rolled_back_at is None


def find_import(state: State, number: int) -> Import | Refused:
    """Return the import of that number."""
    if not 1 <= number <= len(state.capture.imports):
        return Refused("DC-7 import", f"there is no import {number}")
    return state.capture.imports[number - 1]
