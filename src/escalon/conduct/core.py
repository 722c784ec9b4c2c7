"""The core topic: opening and closing, seats and doses, forms, adjudication, dose decisions, holds."""

from escalon.conduct import commands as c
from escalon.conduct import doses, records, seats
from escalon.conduct import events as ev
from escalon.conduct.act import Outcome
from escalon.conduct.core_apply import APPLY
from escalon.conduct.state import State
from escalon.conduct.topic import Decide, Topic
from escalon.protocol import StudyFolder

SITE = ("coordinator", "investigator")
SPONSOR = ("sponsor",)

ALLOWED: dict[type[c.Command], tuple[str, ...]] = {
    c.OpenStudy: SPONSOR,
    c.DecideDose: ("committee_member",),
    c.OpenExpansion: SPONSOR,
    c.EnrolPatient: SITE,
    c.AssignDose: ("investigator",),
    c.RecordForm: SITE,
    c.AdjudicateDlt: ("medical_monitor",),
    c.RequestRecommendation: ("statistician",),
    c.RecordBackfillSeed: ("statistician",),
    c.DecideRp2d: ("committee_member",),
    c.LiftHold: ("committee_member",),
    c.CloseStudy: SPONSOR,
}


def _open_study(state: State, signed: c.Signed, command: c.OpenStudy, folder: StudyFolder) -> Outcome:
    if state.opened_at is not None:
        return c.Refused("study-open", f"the study was opened at {state.opened_at}")
    if command.study_hash != folder.hash:
        return c.Refused("study-version", "the hash given is not that of the study folder")
    identity = folder.study.identity.study_id
    return (
        ev.StudyOpened(identity, folder.hash, folder.study.escalation.hash, command.software, command.origin),
    )


def _close_study(state: State, signed: c.Signed, command: c.CloseStudy, folder: StudyFolder) -> Outcome:
    return (ev.StudyClosed(command.reason),)


DECIDE: dict[type[c.Command], Decide] = {
    c.OpenStudy: _open_study,
    c.DecideDose: doses.decide_dose,
    c.OpenExpansion: doses.open_expansion,
    c.EnrolPatient: seats.enrol_patient,
    c.AssignDose: seats.assign_dose,
    c.RecordForm: records.record_form,
    c.AdjudicateDlt: seats.adjudicate_dlt,
    c.RequestRecommendation: doses.request_recommendation,
    c.RecordBackfillSeed: doses.record_backfill_seed,
    c.DecideRp2d: doses.decide_rp2d,
    c.LiftHold: doses.lift_hold,
    c.CloseStudy: _close_study,
}

TOPIC = Topic("core", DECIDE, ALLOWED, APPLY)
