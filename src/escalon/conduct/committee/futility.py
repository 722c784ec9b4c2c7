"""Futility of the expansion: is its response rate too low with enough certainty?"""

from datetime import date

from escalon.conduct import events as core
from escalon.conduct.act import Event, Signed
from escalon.conduct.evidence import responded
from escalon.conduct.state import Patient, State
from escalon.design.expansion.monitoring import prob_rate_above
from escalon.protocol import StudyFolder

RULE = "expansion-futility"


def expansion_responses(state: State, folder: StudyFolder) -> tuple[int, int]:
    """Return patients of the expansion with a response assessment at or after the first visit, and responders.

    A responder has a response of the study's numerator before a transplant or a new anti-leukemic therapy.
    """
    first = folder.study.response_visits[0].window[0]
    numerator = set(folder.study.response.numerator)
    judged = [
        responded(patient, numerator)
        for patient in state.patients.values()
        if patient.part == "expansion" and _assessed(patient, first)
    ]
    return len(judged), sum(judged)


def react(state: State, events: tuple[Event, ...], signed: Signed, folder: StudyFolder) -> tuple[Event, ...]:
    """Hold enrolment when the responses, with those of this act, make the expansion futile."""
    rule = folder.conduct.committee.futility
    recorded = [one for one in events if isinstance(one, core.FormRecorded) and one.form == "RS"]
    if rule is None or not any(state.patients[one.patient].part == "expansion" for one in recorded):
        return ()
    from escalon.conduct.fold import state_after

    n, x = expansion_responses(state_after(state, events, signed), folder)
    if n < rule.first_look:
        return ()
    probability = 1.0 - prob_rate_above(n, x, rule.least_rate, rule.prior)
    if probability <= rule.certainty:
        return ()
    reason = (
        f"{x} responders among {n} assessed patients of the expansion: "
        f"P(response rate < {rule.least_rate:g}) = {probability:.3f} > {rule.certainty:g}"
    )
    known = any(
        hold.rule == RULE and (hold.lifted_at is None or hold.reason == reason) for hold in state.holds
    )
    if known:
        return ()
    number = len(state.holds) + 1 + sum(isinstance(one, core.EnrolmentHeld) for one in events)
    return (core.EnrolmentHeld(number, RULE, reason),)


def _assessed(patient: Patient, first_day: int) -> bool:
    if patient.infused_at is None:
        return False
    infused = patient.infused_at.date().toordinal()
    return any(
        _ordinal(record.values["RSDTC"]) - infused >= first_day
        for record in patient.forms("RS")
        if record.values.get("RSORRES")
    )


def _ordinal(text: str) -> int:
    return date.fromisoformat(text[:10]).toordinal()
