"""Who may do what about seats, doses and infusions, and what one act writes: a second opinion from docs/roles.md.

Plain facts in, violations out; imports nothing of ours.
"""

from collections.abc import Mapping, Sequence
from typing import Any

SITE = ("coordinator", "investigator")
COMMITTEE = ("medical_monitor", "committee_member")
ACTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "RequestSlot": ("SlotRequested", SITE),
    "ConfirmSlot": ("SlotConfirmed", ("investigator",)),
    "ReleaseSlot": ("SlotReleased", (*SITE, "sponsor")),
    "ExpireSlots": ("SlotReleased", (*SITE, "sponsor", "data_manager")),
    "ConfirmEligibility": ("EligibilityConfirmed", ("investigator",)),
    "AcknowledgeDecision": ("DecisionAcknowledged", SITE),
    "ReviewSentinel": ("SentinelCleared", COMMITTEE),
    "ApproveReplacement": ("SeatAdded", COMMITTEE),
    "OverrideStagger": ("StaggerOverridden", COMMITTEE),
    "ApproveRedosing": ("RedosingApproved", COMMITTEE),
    "AdjudicateExposure": ("ExposureAdjudicated", ("medical_monitor",)),
    "AdjudicateDlt": ("DltAdjudicated", ("medical_monitor",)),
    "EnrolPatient": ("PatientEnrolled", SITE),
    "AssignDose": ("DoseAssigned", ("investigator",)),
    "RecordForm": ("FormRecorded", SITE),
    "LiftHold": ("HoldLifted", ("committee_member",)),
    "RecordBackfillSeed": ("BackfillSeedRecorded", ("statistician",)),
    "RequestRecommendation": ("DoseRecommended", ("statistician",)),
    "DecideDose": ("CommitteeDecided", ("committee_member",)),
    "GiveSignature": ("SignatureGiven", ()),
}
"""By command: the one fact it writes in its own right, and the roles that may send it (none named: anybody's)."""
HUMAN = {kind for kind, _ in ACTS.values()} - {"SlotReleased"}
"""What a person does and nothing else sets off; a slot may also be released because its time is over."""
AT_SITE = (
    "RequestSlot",
    "ConfirmSlot",
    "ConfirmEligibility",
    "AcknowledgeDecision",
    "EnrolPatient",
    "AssignDose",
    "RecordForm",
)
CELLS = "UCART22"


def judge_act(
    command: str, sender: Mapping[str, str], site: str, facts: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return what is wrong with one act; ``site`` is that of the slot or patient it is about ("": none)."""
    if command not in ACTS:
        return []
    kind, roles = ACTS[command]
    found = []
    own = [one for one in facts if one["kind"] == kind]
    if len(own) != 1 and not (command == "ExpireSlots" and own) and kind != "SlotReleased":
        found.append(f"AT-2 {command} wrote {len(own)} {kind}")
    strange = [one["kind"] for one in facts if one["kind"] in HUMAN and one["kind"] != kind]
    if strange:
        found.append(f"AT-2 {command} wrote {', '.join(strange)}")
    if roles and sender["role"] not in roles:
        found.append(f"AT-3 {command} by {sender['role']}")
    if any((one["actor"], one["at"]) != (sender["id"], facts[0]["at"]) for one in facts):
        found.append("AT-3 another actor or moment")
    if command in AT_SITE and sender["site"] != site:
        found.append(f"AT-3 {command} at site {sender['site']} about site {site}")
    return found + _given(facts)


def _given(facts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Cells recorded for the first time are one infusion, and no infusion is without its record."""
    cells = [
        one["patient"] for one in facts
        if one["kind"] == "FormRecorded" and one["form"] == "EX" and one["version"] == 1
        and one["values"]["EXTRT"] == CELLS
    ]  # fmt: skip
    infused = [one["patient"] for one in facts if one["kind"] in ("PatientInfused", "PatientReinfused")]
    said = [one["patient"] for one in facts if one["kind"] in ("InfusionPermitted", "ReinfusionPermitted")]
    return [] if cells == infused == said else ["AT-2 cells, infusion and permission do not agree"]
