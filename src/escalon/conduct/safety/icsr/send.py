"""The report of a clock: its text, the hash that the ledger keeps, and what keeps a case from being reported."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from escalon.conduct.safety.icsr.build import build_icsr, find_case
from escalon.conduct.safety.icsr.case import Attachment
from escalon.conduct.safety.icsr.check import Fault, check_message
from escalon.conduct.safety.icsr.write import render_icsr
from escalon.conduct.safety.state import Clock
from escalon.conduct.state import State
from escalon.criteria.dictionaries import EventDictionary
from escalon.protocol import StudyFolder

REGIONS = {"US-regulation": "US"}
"""Region of a jurisdiction whose name differs."""


@dataclass(frozen=True, slots=True)
class Written:
    """A report as written: its text, the SHA-256 of its bytes, and whether it may be sent as it is."""

    text: str
    hash: str
    submittable: bool


def region_of(jurisdiction: str) -> str:
    """Return the region whose receiver gets the reports of ``jurisdiction``."""
    return REGIONS.get(jurisdiction, jurisdiction)


def write_report(
    state: State,
    folder: StudyFolder,
    case: int,
    created: datetime,
    region: str,
    *,
    purpose: str | None = None,
    dictionary: EventDictionary | None = None,
    attachments: tuple[Attachment, ...] = (),
) -> Written:
    """Return the report on ``case`` for ``region``; see ``build_icsr`` for the arguments.

    Raises:
        ValueError: the case cannot be built, or the message breaks a rule, one line for each element.
    """
    icsr = build_icsr(
        state,
        folder,
        case,
        created,
        region,
        purpose=purpose,
        dictionary=dictionary,
        attachments=attachments,
    )
    text = render_icsr(icsr, region)
    faults = check_message(text, region, submittable=icsr.submittable)
    if faults:
        raise ValueError("\n".join(f"case {case}, {region}: {fault}" for fault in faults))
    return Written(text, sha256(text.encode()).hexdigest(), icsr.submittable)


def missing_elements(state: State, folder: StudyFolder, clock: Clock, at: datetime) -> tuple[Fault, ...]:
    """Return what a valid report on the case of ``clock`` lacks at ``at`` (SF-5); empty when it can be sent.

    Where the study names no sender or no receiver, reports are written elsewhere: only the narrative is asked for.
    """
    case, rules = find_case(state, clock.case), folder.conduct.safety
    region = region_of(clock.jurisdiction)
    if not case.narrative.strip():
        return (Fault("H.1", "H.1", "narrative: missing; the case is not assessed"),)
    if rules.sender is None or region not in rules.receivers:
        return ()
    icsr = build_icsr(state, folder, case.number, at, region, purpose=clock.purpose)
    # Codes are given when the file is written: the dictionary is the sponsor's own and not part of the ledger.
    return check_message(render_icsr(icsr, region), region, submittable=False)
