"""What late facts change: corrected infusion times, judgements that no longer fit, decisions made on other inputs.

Nothing is rewritten. A broken past stagger becomes a deviation, a judgement that no longer fits re-opens the
window, and a decision made on it is flagged and becomes a task.
"""

from collections.abc import Iterator
from datetime import datetime

from escalon.conduct import events as core
from escalon.conduct.act import Event
from escalon.conduct.events import DltStatus
from escalon.conduct.outcomes import counted_in
from escalon.conduct.proposals import propose_dlt
from escalon.conduct.safety.events import CaseAssessed
from escalon.conduct.slots import events as ev
from escalon.conduct.slots.exposure_changes import counted_since, too_close
from escalon.conduct.slots.exposures import CELLS, exposure_of, exposure_of_record
from escalon.conduct.slots.redosing import lot_of
from escalon.conduct.slots.stagger import further_bounds, infused_in_order, local, observed_until, site_zone
from escalon.conduct.state import Cohort, Decision, Patient, State
from escalon.protocol import StudyFolder

EVIDENCE = ("AE", "CM", "DM", "DS", "EX", "LB", "RS")
"""Forms on which the DLT definition looks."""


def corrected(events: tuple[Event, ...], after: State) -> tuple[Event, ...]:
    """Return the corrections of infusions among ``events``; ``after`` is the state after the records."""
    facts: list[Event] = []
    for event in events:
        if not isinstance(event, core.FormRecorded) or event.form != "EX" or event.version == 1:
            continue
        known = exposure_of_record(after, event.patient, event.record)
        if known is None or event.values["EXTRT"] != CELLS:
            continue
        moment = datetime.fromisoformat(event.values["EXSTDTC"])
        cells, lot = event.values["EXDOSE"], lot_of(event.values)
        fraction = cells / event.values["EXPDOSE"]
        changed = (moment, fraction) != (known.infused_at, known.dose_fraction)
        if known.exposure == 1 and changed:
            facts.append(ev.InfusionCorrected(event.patient, moment, fraction))
        elif known.exposure > 1 and (changed or (cells, lot) != (known.cells_given, known.lot)):
            facts.append(ev.ReinfusionCorrected(event.patient, known.exposure, moment, fraction, cells, lot))
    return tuple(facts)


def deviations(
    before: State, after: State, moments: tuple[Event, ...], folder: StudyFolder
) -> tuple[Event, ...]:
    """Return a deviation for every past infusion that breaks the stagger since one of ``moments``, and did not before.

    ``moments`` are corrected infusions, and infusions entered now, which may lie before others entered earlier.
    """
    facts: list[Event] = []
    for event in moments:
        if isinstance(event, ev.InfusionCorrected | ev.ReinfusionCorrected):
            spaced = too_close(before, event.patient, folder)
            facts += [one for one in too_close(after, event.patient, folder) if one not in spaced]
        for cohort in _touched_cohorts(after, event, folder):
            known = {one.patient for one in _too_early(before, cohort, folder)}
            facts += [one for one in _too_early(after, cohort, folder) if one.patient not in known]
    return tuple(dict.fromkeys(facts))


def _touched_cohorts(state: State, event: Event, folder: StudyFolder) -> list[Cohort]:
    """Escalation cohorts whose stagger a moment bears on: the patient's own; every one where the study says so."""
    if isinstance(event, ev.InfusionCorrected | core.PatientInfused):
        own = _cohort(state, event.patient)
        return [own] if own is not None and own.part == "escalation" else []
    rules = folder.conduct.slots.redosing
    if not isinstance(event, ev.ReinfusionCorrected | ev.PatientReinfused) or rules is None:
        return []
    return [one for one in state.cohorts if one.part == "escalation" and rules.opens_stagger]


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
        ends = _observed(infused[:place], zone, folder)
        for bound in further_bounds(state, patient, folder, patient.infused_at):
            ends.append((bound.moment, bound.why.split("; ")[0]))
        until, earlier = max(ends, default=(None, ""))
        if until is not None and patient.infused_at < until:
            text = (
                f"{patient.site}-{patient.patient} infused {local(patient.infused_at, zone)}, before "
                f"{local(until, zone, zone_name=True)}, the end of the observation of {earlier}"
            )
            found.append(ev.DeviationRecorded(patient.patient, "INV-6 stagger", text))
    return found


def _observed(before: list[Patient], zone: str, folder: StudyFolder) -> list[tuple[datetime, str]]:
    stagger = folder.study.stagger
    ends = []
    for place, other in enumerate(before):
        assert other.infused_at is not None
        days = stagger.after_first_days if place == 0 else stagger.after_next_days
        ends.append((observed_until(other.infused_at, days, zone, folder), f"{other.site}-{other.patient}"))
    return ends


def reopened(
    before: State, events: tuple[Event, ...], after: State, at: datetime, folder: StudyFolder
) -> tuple[Event, ...]:
    """Return the windows that a changed record re-opens: the criteria now say something else than was judged."""
    facts: list[Event] = []
    for name in touched(before, events):
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


def touched(state: State, events: tuple[Event, ...]) -> tuple[str, ...]:
    """Return the patients of whom an act changes what the criteria read: a record, or the sponsor's view."""
    return tuple(dict.fromkeys(_touched(state, events)))


def _touched(state: State, events: tuple[Event, ...]) -> Iterator[str]:
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
        if isinstance(event, core.DltAdjudicated) and event.patient in before.slots.reopened:
            facts.append(ev.WindowJudged(event.patient))
        changed = _status_changed(before, event)
        if changed is None:
            continue
        name, was, now, decisions = changed
        for decision in decisions:
            task += 1
            facts.append(ev.DecisionInputsChanged(decision.number, name, was, now))
            text = f"{name} was {was} when decision {decision.number} was made and is {now} now"
            facts.append(ev.TaskOpened(task, f"decision:{decision.number}", text))
    return tuple(facts)


def _status_changed(before: State, event: Event) -> tuple[str, str, str, tuple[Decision, ...]] | None:
    """Patient, what the counts said, what they say after a judgement, and the decisions made on the former."""
    if isinstance(event, core.DltAdjudicated):
        patient = before.patients[event.patient]
        if patient.dlt_status not in (DltStatus.PENDING, event.status):
            return patient.patient, str(patient.dlt_status), str(event.status), decided_on(before, patient)
    if isinstance(event, ev.ExposureAdjudicated):
        since, now = counted_since(before, event), event.counts and event.status is DltStatus.DLT
        if (since is not None) != now:
            words = {
                True: f"DLT after infusion {event.exposure}",
                False: f"no DLT after infusion {event.exposure}",
            }
            made = decided_on_exposure(before, event, since)
            return event.patient, words[since is not None], words[now], made
    return None


def decided_on_exposure(
    state: State, event: ev.ExposureAdjudicated, since: datetime | None
) -> tuple[Decision, ...]:
    """Return the decisions on the patient's counts asked for after the infusion, or ``since`` its DLT was counted."""
    known = exposure_of(state, event.patient, event.exposure)
    from_ = since or known.infused_at
    asked = {rec.number: rec.at for rec in state.recommendations}
    return tuple(
        decision
        for decision in decided_on(state, state.patients[event.patient])
        if from_ is not None
        and decision.recommendation is not None
        and asked[decision.recommendation] >= from_
    )


def decided_on(state: State, patient: Patient) -> tuple[Decision, ...]:
    """Return the decisions made on counts that contain ``patient`` as judged now."""
    judged = patient.dlt_adjudicated_at
    if judged is None or patient.part not in ("escalation", "backfill"):
        return ()
    made = {rec.number: rec for rec in state.recommendations}
    if patient.part == "backfill":  # in a decision only if the rule included the patient
        made_with = {
            number
            for number, rec in made.items()
            if rec.at >= judged and patient.patient in counted_in(rec.inputs)
        }
        return tuple(one for one in state.decisions if one.recommendation in made_with)
    return tuple(
        decision
        for decision in state.decisions
        if decision.recommendation is not None
        and made[decision.recommendation].at >= judged
        and made[decision.recommendation].cohort >= patient.cohort
    )
