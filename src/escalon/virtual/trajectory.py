"""One virtual patient from screening to the last contact, as the entries a site would make.

``simulate_patient`` draws everything relative to the infusion (day 0); ``Trajectory.acts`` fills in real
dates once the infusion and the consent are dated. Nothing depends on other patients.
"""

import math
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from escalon.protocol.scenarios import Scenario, VirtualPatientAssumptions
from escalon.protocol.study import Regimen, Study
from escalon.virtual import cytopenias, dose_limiting, toxicity
from escalon.virtual.acts import Act, Day, Draft, Moment, fill_dates
from escalon.virtual.adverse_events import AdverseEvent, event_drafts
from escalon.virtual.assess import Assess, Seen, investigator
from escalon.virtual.cell_kinetics import CellCourse, draw_cell_course
from escalon.virtual.follow_up import contact_drafts, draw_departure
from escalon.virtual.laboratory import LabCourse, draw_laboratory
from escalon.virtual.leukemia import DiseaseCourse, assess_marrow, draw_disease, draw_response
from escalon.virtual.patients import VirtualPatient, draw_patient
from escalon.virtual.pharmacokinetics import Exposure, Infusion, draw_parameters, solve_exposure
from escalon.virtual.screening import screening_drafts
from escalon.virtual.streams import Streams
from escalon.virtual.treatment import (
    CellDose,
    cell_draft,
    crs_drafts,
    draw_cell_dose,
    draw_infusions,
    lymphodepletion_drafts,
    sample_drafts,
)
from escalon.virtual.visits import Attendance, VisitPlan, draw_visits

__all__ = ["Act", "Trajectory", "simulate_patient"]

_CLOCK = {"LB": -0.04, "VS": -0.03, "RS": 0.06, "SS": 0.02}
"""Hours of a visit, in days from the clock time of the infusion."""


@dataclass(frozen=True, slots=True)
class Trajectory:
    """All that will happen to a patient.

    Attributes:
        patient: who it is.
        infused: False when only lymphodepletion is given.
        dose_fraction: UCART22 given over planned; 0 when not infused.
        dlt_kind: what the simulation planned as dose-limiting toxicity, None without one.
        disease, exposure, cells, laboratory, events: the truth behind the entries.
        drafts: entries in order of time.
    """

    patient: VirtualPatient
    infused: bool
    dose_fraction: float
    dlt_kind: str | None
    disease: DiseaseCourse
    exposure: Exposure
    cells: CellCourse
    laboratory: LabCourse
    events: tuple[AdverseEvent, ...]
    drafts: tuple[Draft, ...]

    def acts(
        self, infusion_at: datetime, consented_on: date | None = None
    ) -> tuple[tuple[datetime, Act], ...]:
        """Return the entries with real dates and the moments (UTC) at which they are made, ascending.

        Args:
            infusion_at: start of the UCART22 infusion, planned for a patient never infused; with time zone.
            consented_on: date of consent; 18 days before the infusion when not given.

        Raises:
            ValueError: when ``infusion_at`` has no time zone.
        """
        consent = consented_on or infusion_at.date() - timedelta(days=18)
        return tuple(fill_dates(draft, infusion_at, consent) for draft in self.drafts)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the builders of entries need to know, in one place."""

    streams: Streams
    study: Study
    assumptions: VirtualPatientAssumptions
    number: int
    regimen: Regimen
    infusions: tuple[Infusion, ...]
    dose: CellDose
    visits: VisitPlan
    assess: Assess

    @property
    def with_clls52(self) -> bool:
        return any(infusion.product == "CLLS52" for infusion in self.infusions)


def simulate_patient(
    streams: Streams,
    study: Study,
    scenario: Scenario,
    assumptions: VirtualPatientAssumptions,
    *,
    number: int,
    dose_level: int,
    regimen: Regimen,
    process: str,
    part: str,
    assess: Assess | None = None,
) -> Trajectory:
    """Simulate patient ``number``.

    Args:
        streams: random streams of the trial.
        study: visits, samples, doses, response criteria.
        scenario: true probabilities per dose level.
        assumptions: what virtual patients are made of.
        number: 1, 2, 3 ...; with the seed it decides every draw.
        dose_level: assigned level, 1-based.
        regimen: lymphodepleting regimen.
        process: manufacturing process of the cells, '' when it has none.
        part: escalation or expansion; both are treated alike.
        assess: investigator's response; None follows the study's criteria set.

    Raises:
        ValueError: for a dose level the scenario has no probability for.
    """
    if not 1 <= dose_level <= len(scenario.prob_tox):
        raise ValueError(
            f"dose_level {dose_level}: scenario {scenario.id} has levels 1 to {len(scenario.prob_tox)}"
        )
    identity = study.identity
    patient = draw_patient(streams, number, assumptions, (identity.minimum_age, identity.maximum_age))
    infusions = draw_infusions(streams, number, regimen)
    clls52, host = assumptions.clls52, assumptions.host_lymphocytes
    exposure = solve_exposure(draw_parameters(streams, patient, clls52, host), infusions, host)
    cells = draw_cell_course(streams, number, assumptions.ucart22, exposure, 150.0)
    window = study.dlt.window_days
    plan = _Plan(
        streams=streams,
        study=study,
        assumptions=assumptions,
        number=number,
        regimen=regimen,
        infusions=infusions,
        dose=draw_cell_dose(streams, number, study, assumptions.follow_up, dose_level, process),
        visits=draw_visits(
            streams,
            number,
            study,
            assumptions.follow_up,
            regimen.first_day,
            (window, 42, study.time_to_event.horizon_day),
        ),
        assess=assess or investigator(study.response.criteria_set),
    )
    depth = draw_response(
        streams, number, assumptions.leukemia, scenario, dose_level, cells, plan.with_clls52
    )
    infused = bool(streams.generator(number, "infused").random() >= scenario.prob_not_infused)
    prob_tox = scenario.prob_tox[dose_level - 1]
    return _live(plan, patient, exposure, cells, depth, infused, prob_tox)


def _live(
    plan: _Plan,
    patient: VirtualPatient,
    exposure: Exposure,
    cells: CellCourse,
    depth: str,
    infused: bool,
    prob_tox: float,
) -> Trajectory:
    streams, number, assumptions = plan.streams, plan.number, plan.assumptions
    limits, remission = assumptions.dose_limiting, depth in ("CR", "CRi", "MLFS")
    kind = dose_limiting.draw_dlt_kind(streams, number, limits, prob_tox, remission) if infused else None
    limiting = dose_limiting.draw_dlt_event(streams, number, limits, kind, plan.with_clls52) if kind else None
    aplasia = kind == dose_limiting.APLASIA
    if aplasia:
        depth = "MLFS"
    fatal = math.floor(limiting.end) if limiting and limiting.fatal and limiting.end is not None else None
    days = plan.visits.assessment_days()
    disease = draw_disease(streams, number, assumptions.leukemia, depth, days, 45 if kind else 0, fatal)
    if aplasia:
        disease = replace(disease, counts_day=75.0)
    events = _events(plan, cells, disease, limiting)
    bumps = toxicity.event_bumps(events) + (dose_limiting.dlt_bumps(limiting) if limiting else ())
    lab = draw_laboratory(
        streams,
        patient,
        assumptions.laboratory,
        disease,
        exposure,
        plan.regimen.first_day,
        aplasia,
        bumps,
        cytopenias.fourth_limits(plan.study),
    )
    events = toxicity.with_liver_tests(events, lab)
    events += _cytopenias(plan, patient, lab, disease, aplasia)
    events.sort(key=lambda event: (event.onset, event.term))
    build = _infused_drafts if infused else _lymphodepleted_drafts
    drafts = build(plan, patient, exposure, cells, disease, lab, events, aplasia)
    drafts.sort(key=lambda draft: (draft.day, draft.form, draft.record))
    fraction = plan.dose.given / plan.dose.planned if infused else 0.0
    return Trajectory(
        patient, infused, fraction, kind, disease, exposure, cells, lab, tuple(events), tuple(drafts)
    )


def _events(
    plan: _Plan, cells: CellCourse, disease: DiseaseCourse, limiting: AdverseEvent | None
) -> list[AdverseEvent]:
    streams, number, assumptions = plan.streams, plan.number, plan.assumptions
    events = toxicity.draw_background(streams, number, assumptions.background_events, plan.with_clls52)
    category = limiting.category if limiting else None
    if category not in ("CRS", "ICANS"):
        events += toxicity.draw_crs(streams, number, assumptions, cells, plan.with_clls52)
    if category != "GVHD":
        events += toxicity.draw_gvhd(streams, number, assumptions, plan.with_clls52)
    if limiting is not None:
        events = [event for event in events if event.term != limiting.term]
        events.append(limiting)
    death = disease.death_day if disease.death_cause == "ADVERSE EVENT" else None
    if death is not None and (limiting is None or not limiting.fatal):
        events.append(toxicity.draw_fatal_infection(streams, number, death, plan.with_clls52))
    return events


def _cytopenias(
    plan: _Plan, patient: VirtualPatient, lab: LabCourse, disease: DiseaseCourse, aplasia: bool
) -> list[AdverseEvent]:
    until = min(disease.assessed_until, float(disease.transplant_day or 10**6), 200.0)
    rng = plan.streams.generator(plan.number, "cytopenias")
    found = cytopenias.find_cytopenias(
        rng, lab, plan.study, patient.sex, plan.regimen.first_day, until, plan.with_clls52
    )
    if aplasia:
        found = [
            replace(event, relation={**event.relation, "AERELUC": "PROBABLE"}, dlt=True)
            if event.grade == 4 and event.tests and event.tests[0][0] in ("NEUT", "PLAT")
            else event
            for event in found
        ]
    return found


def _lymphodepleted_drafts(
    plan: _Plan,
    patient: VirtualPatient,
    exposure: Exposure,
    cells: CellCourse,
    disease: DiseaseCourse,
    lab: LabCourse,
    events: list[AdverseEvent],
    aplasia: bool,
) -> list[Draft]:
    """Entries of a patient who never gets the cells: all of them before the planned infusion."""
    drafts = _infused_drafts(plan, patient, exposure, cells, disease, lab, events, aplasia)
    reason = "Infusion-day criteria not met: uncontrolled infection"
    end = {"DSDECOD": "NOT INFUSED", "DSSTDTC": Day(0), "DSTERM": reason}
    before = [draft for draft in drafts if draft.day < -0.1 and not _reaches_day_0(draft)]
    return [*before, Draft(-0.05, "DS", "DS-END", end)]


def _reaches_day_0(draft: Draft) -> bool:
    return any(isinstance(value, Moment) and value.day >= 0.0 for value in draft.values.values())


def _infused_drafts(
    plan: _Plan,
    patient: VirtualPatient,
    exposure: Exposure,
    cells: CellCourse,
    disease: DiseaseCourse,
    lab: LabCourse,
    events: list[AdverseEvent],
    aplasia: bool,
) -> list[Draft]:
    streams, number = plan.streams, plan.number
    label = next((v.label for v in plan.visits.visits if v.day == plan.regimen.first_day), None)
    drafts = screening_drafts(plan.visits, plan.regimen, patient)
    drafts += lymphodepletion_drafts(plan.infusions, plan.regimen, label)
    drafts.append(cell_draft(plan.dose))
    drafts += _visit_drafts(plan, patient, disease, lab, aplasia)
    drafts += sample_drafts(streams, number, plan.study, plan.assumptions, plan.infusions, exposure, cells)
    for index, event in enumerate(events, start=1):
        drafts += _event_drafts(plan, patient, event, index, drafts)
    departure = draw_departure(streams, number, plan.assumptions.follow_up, disease)
    return contact_drafts(drafts, plan.visits, disease, departure)


def _event_drafts(
    plan: _Plan, patient: VirtualPatient, event: AdverseEvent, index: int, drafts: list[Draft]
) -> list[Draft]:
    """Everything entered because of one event: itself, its laboratory results, its treatment."""
    taken = [
        Draft(day + 0.006, "LB", f"LB-AE-{index:02d}", {"LBDTC": Moment(day), item: value})
        for item, day, value in event.tests
    ]
    panels = [(entry.values["LBDTC"].day, entry.values) for entry in (*drafts, *taken) if entry.form == "LB"]
    event = cytopenias.raise_to_panels(event, panels, plan.study, patient.sex)
    record = f"AE-{index:02d}"
    rng = plan.streams.generator(plan.number, f"report {event.term} {event.onset:.3f}")
    entries = event_drafts(rng, record, event, plan.study.grading)
    return [*entries, *taken, *crs_drafts(event, index)]


def _visit_drafts(
    plan: _Plan, patient: VirtualPatient, disease: DiseaseCourse, lab: LabCourse, aplasia: bool
) -> list[Draft]:
    """Vital signs, laboratory and disease assessments, visit by visit, and the unscheduled ones."""
    visits = [v for v in plan.visits.visits if v.attended and v.day <= disease.assessed_until]
    extra = partial(_unscheduled, plan, lab, disease)
    if disease.unscheduled and disease.detected_day is not None:
        visits.append(extra(disease.detected_day))
    if aplasia:
        visits.append(extra(42))
    drafts: list[Draft] = []
    seen: list[Seen] = []
    for attendance in sorted(visits, key=lambda v: v.day):
        rng = plan.streams.generator(plan.number, f"laboratory {attendance.visit.id} {attendance.day}")
        panel = lab.panel(rng, attendance.day)
        drafts += _simple_drafts(plan, patient, attendance, panel)
        if attendance.disease or (attendance.day < 0 and "RS" in attendance.visit.forms):
            entry = _assessment(plan, patient, disease, attendance, panel, aplasia)
            seen.append(Seen(attendance.day, entry))
            response = plan.assess(tuple(seen))
            if response is not None:
                seen[-1] = Seen(attendance.day, entry, response)
                entry = {**entry, "RSORRES": response}
            values = {"RSDTC": Day(attendance.day), **entry}
            record = f"RS-{attendance.visit.id}-{attendance.day}"
            drafts.append(Draft(attendance.day + _CLOCK["RS"], "RS", record, values, attendance.label))
    return drafts


def _unscheduled(plan: _Plan, lab: LabCourse, disease: DiseaseCourse, day: int) -> Attendance:
    """A marrow on ``day`` outside the visits."""
    like = next(v.visit for v in plan.visits.visits if "RS" in v.visit.forms and v.day > 0)
    visit = like.model_copy(update={"id": "UNSCHEDULED", "forms": ("LB", "RS")})
    return Attendance(visit, day, None, True, True)


def _simple_drafts(
    plan: _Plan, patient: VirtualPatient, attendance: Attendance, panel: dict[str, float]
) -> list[Draft]:
    forms, day, name = attendance.visit.forms, attendance.day, attendance.visit.id
    drafts = []
    if "VS" in forms:
        moment = day + _CLOCK["VS"]
        values: dict[str, Any] = {"VSDTC": Moment(moment), "WEIGHT": patient.weight, "ECOG": patient.ecog}
        if day < 0:
            values["HEIGHT"] = patient.height
        drafts.append(Draft(moment + 0.002, "VS", f"VS-{name}", values, attendance.label))
    if "LB" in forms:
        moment = day + _CLOCK["LB"]
        record = f"LB-{name}-{day}" if name == "UNSCHEDULED" else f"LB-{name}"
        drafts.append(
            Draft(moment + 0.006, "LB", record, {"LBDTC": Moment(moment), **panel}, attendance.label)
        )
    return drafts


def _assessment(
    plan: _Plan,
    patient: VirtualPatient,
    disease: DiseaseCourse,
    attendance: Attendance,
    panel: dict[str, float],
    aplasia: bool,
) -> dict[str, Any]:
    day = attendance.day
    rng = plan.streams.generator(plan.number, f"marrow {attendance.visit.id} {day}")
    skipped = rng.random() < plan.assumptions.follow_up.marrow_not_done
    done = not skipped or day <= 31 or day == 42 or day == disease.detected_day
    values: dict[str, Any] = assess_marrow(rng, patient, disease, day, aplasia and 0 < day < 70, done)
    support = rng.random() < 0.4 and panel["PLAT"] < 35
    values |= {"NEUT": panel["NEUT"], "PLAT": panel["PLAT"], "PLTTRANS": "Y" if support else "N", "GCSF": "N"}
    return values
