"""What late facts change: corrected infusion times, judgements that no longer fit, decisions made on other inputs.

Nothing is rewritten. A broken past stagger becomes a deviation, a judgement that no longer fits re-opens the
window, and a decision made on it is flagged and becomes a task.
"""

from collections.abc import Iterator
from datetime import datetime

from escalon.conduct import events as core
from escalon.conduct.act import Event
from escalon.conduct.events import DltStatus
from escalon.conduct.proposals import propose_dlt
from escalon.conduct.safety.events import CaseAssessed
from escalon.conduct.slots import events as ev
from escalon.conduct.slots.lock import CELLS
from escalon.conduct.slots.stagger import infused_in_order, local, observed_until, site_zone
from escalon.conduct.state import Cohort, Decision, Patient, State
from escalon.protocol import StudyFolder

EVIDENCE = ("AE", "CM", "DM", "DS", "EX", "LB", "RS")
"""Forms on which the DLT definition looks."""


def corrected(events: tuple[Event, ...], after: State) -> tuple[Event, ...]:
    """Return the corrections of first infusions among ``events``; ``after`` is the state after them."""
    facts: list[Event] = []
    for event in events:
        if not isinstance(event, core.FormRecorded) or event.form != "EX" or event.version == 1:
            continue
        patient = after.patients[event.patient]
        cells = [record for record in patient.forms("EX") if record.values["EXTRT"] == CELLS]
        if not cells or cells[0].record != event.record:
            continue
        moment = datetime.fromisoformat(event.values["EXSTDTC"])
        fraction = event.values["EXDOSE"] / event.values["EXPDOSE"]
        if (moment, fraction) != (patient.infused_at, patient.dose_fraction):
            facts.append(ev.InfusionCorrected(event.patient, moment, fraction))
    return tuple(facts)


def deviations(
    before: State, after: State, moments: tuple[Event, ...], folder: StudyFolder
) -> tuple[Event, ...]:
    """Return a deviation for every past infusion that breaks the stagger since one of ``moments``, and did not before.

    ``moments`` are corrected infusions, and infusions entered now, which may lie before others entered earlier.
    """
    facts: list[Event] = []
    for event in moments:
        if not isinstance(event, ev.InfusionCorrected | core.PatientInfused):
            continue
        cohort = _cohort(after, event.patient)
        if cohort is None or cohort.part != "escalation":
            continue
        known = {one.patient for one in _too_early(before, cohort, folder)}
        facts += [one for one in _too_early(after, cohort, folder) if one.patient not in known]
    return tuple(dict.fromkeys(facts))


def _cohort(state: State, patient: str) -> Cohort | None:
    number = state.patients[patient].cohort
    return next((one for one in state.cohorts if one.cohort == number), None)


def _too_early(state: State, cohort: Cohort, folder: StudyFolder) -> list[ev.DeviationRecorded]:
    """Infusions of a cohort that lie inside the observation of an earlier one, and before their override if any."""
    overridden = {one.patient: one.not_before for one in state.slots.overrides}
    infused = infused_in_order(state, cohort)
    found = []
    for place, patient in enumerate(infused):
        zone = site_zone(state, patient.site)
        assert patient.infused_at is not None
        if patient.patient in overridden and patient.infused_at >= overridden[patient.patient]:
            continue
        until, earlier = _observed(infused[:place], zone, folder)
        if until is not None and patient.infused_at < until:
            text = (
                f"{patient.site}-{patient.patient} infused {local(patient.infused_at, zone)}, before "
                f"{local(until, zone, zone_name=True)}, the end of the observation of {earlier}"
            )
            found.append(ev.DeviationRecorded(patient.patient, "INV-6 stagger", text))
    return found


def _observed(before: list[Patient], zone: str, folder: StudyFolder) -> tuple[datetime | None, str]:
    stagger = folder.study.stagger
    ends = []
    for place, other in enumerate(before):
        assert other.infused_at is not None
        days = stagger.after_first_days if place == 0 else stagger.after_next_days
        ends.append((observed_until(other.infused_at, days, zone, folder), f"{other.site}-{other.patient}"))
    return max(ends, default=(None, ""))


def reopened(
    before: State, events: tuple[Event, ...], after: State, at: datetime, folder: StudyFolder
) -> tuple[Event, ...]:
    """Return the windows that a changed record re-opens: the criteria now say something else than was judged."""
    facts: list[Event] = []
    for name in dict.fromkeys(_touched(before, events)):
        now = after.patients[name]
        if now.dlt_status is DltStatus.PENDING or now.infused_at is None or name in after.slots.reopened:
            continue
        new = propose_dlt(after, name, folder, at)
        if new.status in (DltStatus.PENDING, now.dlt_status):
            continue
        if new.status is propose_dlt(before, name, folder, at).status:
            continue
        reason = f"judged {now.dlt_status}; the criteria now say {new.status}: {new.text}"
        facts.append(ev.WindowReopened(name, reason))
    return tuple(facts)


def _touched(state: State, events: tuple[Event, ...]) -> Iterator[str]:
    """Patients of whom an act changes what the criteria read: a record, or the sponsor's view of an event."""
    for event in events:
        if isinstance(event, core.FormRecorded) and event.form in EVIDENCE:
            yield event.patient
        elif isinstance(event, CaseAssessed):
            yield state.safety.cases[event.case - 1].patient


def judged_again(before: State, events: tuple[Event, ...]) -> tuple[Event, ...]:
    """Return that re-opened windows were judged, and the decisions whose inputs changed by it (INV-11)."""
    facts: list[Event] = []
    task = len(before.slots.tasks)
    for event in events:
        if not isinstance(event, core.DltAdjudicated):
            continue
        patient = before.patients[event.patient]
        if event.patient in before.slots.reopened:
            facts.append(ev.WindowJudged(event.patient))
        if patient.dlt_status in (DltStatus.PENDING, event.status):
            continue
        for decision in decided_on(before, patient):
            task += 1
            was, now = str(patient.dlt_status), str(event.status)
            facts.append(ev.DecisionInputsChanged(decision.number, event.patient, was, now))
            text = f"{event.patient} was {was} when decision {decision.number} was made and is {now} now"
            facts.append(ev.TaskOpened(task, f"decision:{decision.number}", text))
    return tuple(facts)


def decided_on(state: State, patient: Patient) -> tuple[Decision, ...]:
    """Return the decisions made on counts that contain ``patient`` as judged now."""
    judged = patient.dlt_adjudicated_at
    if judged is None or patient.part != "escalation":
        return ()
    made = {rec.number: rec for rec in state.recommendations}
    return tuple(
        decision
        for decision in state.decisions
        if decision.recommendation is not None
        and made[decision.recommendation].at >= judged
        and made[decision.recommendation].cohort >= patient.cohort
    )
