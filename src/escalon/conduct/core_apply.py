"""How the events of the core change the state."""

from dataclasses import replace
from typing import Any

from escalon.conduct import events as ev
from escalon.conduct.committee.apply import with_review
from escalon.conduct.state import (
    Adjudication,
    Cohort,
    Decision,
    Fact,
    Hold,
    Mtd,
    Patient,
    Recommendation,
    Record,
    Rp2d,
    State,
)
from escalon.conduct.topic import Apply
from escalon.protocol.forms_values import answered


def _study_opened(state: State, fact: Fact, event: ev.StudyOpened) -> State:
    return replace(
        state,
        study_id=event.study_id,
        study_hash=event.study_hash,
        plan_hash=event.plan_hash,
        origin=event.origin,
        opened_at=fact.at,
    )


def _committee_decided(state: State, fact: Fact, event: ev.CommitteeDecided) -> State:
    decision = Decision(
        event.decision,
        event.recommendation,
        event.action,
        event.dose_level,
        event.reason,
        event.signers,
        fact.at,
        event.review,
        event.signatures,
        event.dissent,
        event.exception,
    )
    cohorts = tuple(replace(cohort, decided=True) for cohort in state.cohorts)
    state = replace(state, decisions=(*state.decisions, decision), cohorts=cohorts)
    return state if event.review is None else with_review(state, event.review, decided=True)


def _cohort_opened(state: State, fact: Fact, event: ev.CohortOpened) -> State:
    cohort = Cohort(event.cohort, event.part, event.dose_level, event.size, fact.at)
    return replace(state, cohorts=(*state.cohorts, cohort))


def _patient_enrolled(state: State, fact: Fact, event: ev.PatientEnrolled) -> State:
    patient = Patient(
        event.patient, event.site, event.part, event.cohort, event.consented_on, event.replaces, fact.at
    )
    cohorts = tuple(
        replace(cohort, patients=(*cohort.patients, event.patient))
        if cohort.cohort == event.cohort
        else cohort
        for cohort in state.cohorts
    )
    return replace(state, patients={**state.patients, event.patient: patient}, cohorts=cohorts)


def _dose_assigned(state: State, fact: Fact, event: ev.DoseAssigned) -> State:
    return _with_patient(
        state, event.patient, dose_level=event.dose_level, regimen=event.regimen, process=event.process
    )


def _form_recorded(state: State, fact: Fact, event: ev.FormRecorded) -> State:
    known = state.patients[event.patient].records
    record = Record(
        event.patient,
        event.form,
        event.record,
        event.version,
        event.visit,
        answered(event.values),
        fact.at,
        fact.seq,
        known.get(event.record),
        event.values,
        fact.actor_id,
        fact.actor_role,
        event.reason,
        event.origin,
    )
    records = {**known, event.record: record}
    return _with_patient(state, event.patient, records=records)


def _patient_infused(state: State, fact: Fact, event: ev.PatientInfused) -> State:
    return _with_patient(state, event.patient, infused_at=event.infused_at, dose_fraction=event.dose_fraction)


def _seat_released(state: State, fact: Fact, event: ev.SeatReleased) -> State:
    cohorts = tuple(
        replace(cohort, patients=tuple(p for p in cohort.patients if p != event.patient))
        for cohort in state.cohorts
    )
    return replace(_with_patient(state, event.patient, released=event.reason), cohorts=cohorts)


def _dlt_adjudicated(state: State, fact: Fact, event: ev.DltAdjudicated) -> State:
    judged = Adjudication(event.status, fact.at, fact.actor_id, fact.seq)
    return _with_patient(
        state,
        event.patient,
        adjudications=(*state.patients[event.patient].adjudications, judged),
        dlt_status=event.status,
        dlt_clause=event.clause,
        dlt_reason=event.reason,
        dlt_adjudicated_at=fact.at,
        dlt_adjudicated_by=fact.actor_id,
    )


def _dose_recommended(state: State, fact: Fact, event: ev.DoseRecommended) -> State:
    recommendation = Recommendation(
        event.recommendation,
        event.cohort,
        event.action,
        event.dose_level,
        event.reasons,
        event.inputs,
        fact.at,
    )
    return replace(state, recommendations=(*state.recommendations, recommendation))


def _mtd_estimated(state: State, fact: Fact, event: ev.MtdEstimated) -> State:
    return replace(state, mtd=Mtd(event.dose_level, event.n, event.y, event.reason, fact.at))


def _backfill_seed(state: State, fact: Fact, event: ev.BackfillSeedRecorded) -> State:
    return replace(state, backfill_seed=event.seed)


def _rp2d_decided(state: State, fact: Fact, event: ev.Rp2dDecided) -> State:
    rp2d = Rp2d(event.dose_level, event.reason, event.evidence, event.signers, fact.at)
    state = replace(state, rp2d=rp2d)
    return state if event.review is None else with_review(state, event.review, decided=True)


def _enrolment_held(state: State, fact: Fact, event: ev.EnrolmentHeld) -> State:
    scope = (event.scope, event.dose_level, event.regimen, event.process)
    hold = Hold(event.hold, event.rule, event.reason, fact.at, None, *scope)
    return replace(state, holds=(*state.holds, hold))


def _hold_lifted(state: State, fact: Fact, event: ev.HoldLifted) -> State:
    holds = tuple(
        replace(hold, lifted_at=fact.at) if hold.number == event.hold else hold for hold in state.holds
    )
    return replace(state, holds=holds)


def _study_closed(state: State, fact: Fact, event: ev.StudyClosed) -> State:
    return replace(state, closed_at=fact.at)


def _with_patient(state: State, patient: str, **changes: Any) -> State:
    changed = replace(state.patients[patient], **changes)
    return replace(state, patients={**state.patients, patient: changed})


APPLY: dict[type[ev.Event], Apply] = {
    ev.StudyOpened: _study_opened,
    ev.CommitteeDecided: _committee_decided,
    ev.CohortOpened: _cohort_opened,
    ev.PatientEnrolled: _patient_enrolled,
    ev.DoseAssigned: _dose_assigned,
    ev.FormRecorded: _form_recorded,
    ev.PatientInfused: _patient_infused,
    ev.SeatReleased: _seat_released,
    ev.DltAdjudicated: _dlt_adjudicated,
    ev.DoseRecommended: _dose_recommended,
    ev.BackfillSeedRecorded: _backfill_seed,
    ev.MtdEstimated: _mtd_estimated,
    ev.Rp2dDecided: _rp2d_decided,
    ev.EnrolmentHeld: _enrolment_held,
    ev.HoldLifted: _hold_lifted,
    ev.StudyClosed: _study_closed,
}
