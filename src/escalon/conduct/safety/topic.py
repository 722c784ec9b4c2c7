"""The topic safety: cases, reporting clocks, reports, freezes."""

from escalon.conduct.act import Command
from escalon.conduct.safety import coding, decide, decide_matters
from escalon.conduct.safety import commands as c
from escalon.conduct.safety.apply import APPLY
from escalon.conduct.safety.react import react
from escalon.conduct.topic import Decide, Topic

DECIDE: dict[type[Command], Decide] = {
    c.AssessCase: decide.assess_case,
    c.SubmitReport: decide.submit_report,
    c.AcknowledgeReport: decide.acknowledge_report,
    c.CloseClock: decide.close_clock,
    c.RecordMatter: decide_matters.record_matter,
    c.DistributeReport: decide_matters.distribute_report,
    c.ConfirmReading: decide_matters.confirm_reading,
    c.CodeTerms: coding.code_terms,
}
ALLOWED: dict[type[Command], tuple[str, ...]] = {
    c.AssessCase: ("medical_monitor", "safety_officer"),
    c.SubmitReport: ("safety_officer",),
    c.AcknowledgeReport: ("safety_officer",),
    c.CloseClock: ("medical_monitor", "safety_officer"),
    c.RecordMatter: ("safety_officer", "medical_monitor", "sponsor"),
    c.DistributeReport: ("safety_officer",),
    c.ConfirmReading: ("investigator", "committee_member", "medical_monitor", "safety_officer"),
    c.CodeTerms: ("data_manager", "safety_officer"),
}
TOPIC = Topic("safety", DECIDE, ALLOWED, APPLY, react=react)
