"""The stagger: the earliest permitted infusion of a patient, as a moment with its reason, from actual times only.

The rules and their ids are those of docs/conduct/cohorts.md. The moment is the latest over all rules; what has no
date yet (an open hold, a review, an acknowledgement, an open DLT candidate) is listed under ``waits_for``.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from escalon.conduct.events import DltStatus
from escalon.conduct.holds import covers, holds_on, place_of
from escalon.conduct.proposals import propose_dlt
from escalon.conduct.slots.events import InfusionPermitted
from escalon.conduct.slots.exposures import further_given
from escalon.conduct.slots.windows import exposure_window
from escalon.conduct.state import Cohort, Patient, State
from escalon.protocol import StudyFolder


@dataclass(frozen=True, slots=True)
class Bound:
    """One rule's answer: not before ``moment``, because ``why``; ``rule`` is its id."""

    moment: datetime
    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class Earliest:
    """The earliest infusion of a patient.

    Attributes:
        patient: code with site, as shown.
        moment: UTC; None when no rule gives one.
        rule, why: of the rule that decides.
        waits_for: what has to happen first and has no date, each with its rule id.
        lymphodepletion: earliest start of the lymphodepletion (UTC).
        zone: of the dosing site.
        what: the infusion, in words.
    """

    patient: str
    moment: datetime | None
    rule: str
    why: str
    waits_for: tuple[str, ...]
    lymphodepletion: datetime | None
    zone: str
    what: str = "infusion"

    @property
    def text(self) -> str:
        """One sentence in the zone of the dosing site."""
        if self.waits_for:
            return f"no {self.what} of {self.patient} yet: {'; '.join(self.waits_for)}"
        return self.dated

    @property
    def dated(self) -> str:
        """The sentence about the moment alone."""
        if self.moment is None:
            return f"no rule holds the {self.what} of {self.patient} back"
        shown = local(self.moment, self.zone, zone_name=True)
        return f"earliest {self.what} for {self.patient}: {shown}, because {self.why}"


def site_zone(state: State, site: str) -> str:
    """Return the IANA zone of a site; UTC for one that is not registered."""
    known = state.people.sites.get(site)
    return known.timezone if known is not None else "UTC"


def local(moment: datetime, zone: str, *, zone_name: bool = False) -> str:
    """Return ``moment`` as a site reads it, such as ``4 Dec 2026 08:00 CET``."""
    there = moment.astimezone(ZoneInfo(zone))
    return f"{there.day} {there:%b %Y %H:%M}" + (f" {there:%Z}" if zone_name else "")


def earliest_infusion(
    state: State, patient: Patient, folder: StudyFolder, at: datetime, given: datetime | None = None
) -> Earliest:
    """Return the earliest permitted first infusion of ``patient``, on what is known at ``at`` (UTC).

    ``given`` is the moment of an infusion that is entered: holds that began, patients infused and decisions made
    after it had nothing to say about it.
    """
    zone = site_zone(state, patient.site)
    cohort = next((one for one in state.cohorts if one.cohort == patient.cohort), None)
    bounds = general_bounds(state, cohort, patient, given or at)
    held = holds_on(state, place_of(state, patient))
    waits = [f"hold {hold.number} is open ({hold.rule}) [ST-3]" for hold in held]
    if cohort is not None and cohort.part == "escalation":
        staggered = observation_bounds(state, cohort, patient, folder, given)
        staggered += further_bounds(state, patient, folder, given)
        override = next((one for one in state.slots.overrides if one.patient == patient.patient), None)
        if override is None:
            bounds += staggered
            waits += _reviews(state, cohort, patient, folder, given)
        else:
            signers = " and ".join(override.signers)
            bounds.append(Bound(override.not_before, "ST-8", f"the stagger was overridden by {signers}"))
        waits += candidates(state, cohort, folder, at, given)
        if further_bounds(state, patient, folder, given):
            waits += [f"{text} [ST-6]" for text in further_candidates(state, folder, at, given)]
    waits += unread(state, patient, given or at)
    last = max(bounds, key=lambda bound: bound.moment, default=None)
    moment = None if last is None else last.moment
    lead = folder.study.regimen_on(patient.enrolled_at.date()).first_day
    return Earliest(
        f"{patient.site}-{patient.patient}",
        moment,
        "" if last is None else last.rule,
        "" if last is None else last.why,
        tuple(waits),
        None if moment is None else moment + timedelta(days=lead),
        zone,
    )


def permission(
    state: State, patient: Patient, infused_at: datetime, folder: StudyFolder, at: datetime
) -> InfusionPermitted:
    """Return on what the infusion of ``patient`` at ``infused_at`` is permitted; ``state`` is the one before it."""
    override = next((one for one in state.slots.overrides if one.patient == patient.patient), None)
    plain = replace(state, slots=replace(state.slots, overrides=()))
    earliest = earliest_infusion(plain, patient, folder, at, infused_at)
    cohort = next((one for one in state.cohorts if one.cohort == patient.cohort), None)
    escalation = cohort is not None and cohort.part == "escalation"
    infused = [] if cohort is None else infused_in_order(state, cohort)
    # entered after a later one, the first of a cohort waits for nobody's review
    late_first = bool(infused) and not any(_infused_by(one, infused_at) for one in infused)
    return InfusionPermitted(
        patient.patient,
        patient.cohort,
        infused_at,
        earliest.moment,
        earliest.rule,
        escalation and folder.conduct.slots.sentinel_review and not late_first,
        override.signers if override is not None else (),
    )


def general_bounds(state: State, cohort: Cohort | None, patient: Patient, moment: datetime) -> list[Bound]:
    """Cohort opening, end of holds, acknowledgement by the site: these hold in every part, for every infusion."""
    bounds = []
    if cohort is not None:
        bounds.append(Bound(cohort.opened_at, "ST-2", f"cohort {cohort.cohort} opened then"))
    place = place_of(state, patient)
    ends = [
        hold.lifted_at
        for hold in state.holds
        if hold.lifted_at is not None and hold.at <= moment and covers(hold, place)
    ]
    if ends:
        bounds.append(Bound(max(ends), "ST-3", "a hold was lifted then"))
    last = _last_decision(state, moment)
    if last is not None:
        read = state.slots.acknowledged_at(last, patient.site)
        if read is not None:
            bounds.append(Bound(read, "ST-4", f"site {patient.site} acknowledged the decision then"))
    return bounds


def observation_bounds(
    state: State, cohort: Cohort, patient: Patient, folder: StudyFolder, given: datetime | None = None
) -> list[Bound]:
    """The stagger proper: behind every actual infusion of the cohort, up to ``given``, lies its observation."""
    found = []
    for place, other in enumerate(_others_infused(state, cohort, patient, given)):
        assert other.infused_at is not None
        sentinel = place == 0
        days = folder.study.stagger.after_first_days if sentinel else folder.study.stagger.after_next_days
        zone = site_zone(state, patient.site)
        word = "sentinel" if sentinel else "next patient"
        why = f"{other.site}-{other.patient} infused {local(other.infused_at, zone)}; {word} {days} d"
        found.append(Bound(observed_until(other.infused_at, days, zone, folder), "ST-1", why))
    return found


def further_bounds(
    state: State, patient: Patient, folder: StudyFolder, given: datetime | None = None
) -> list[Bound]:
    """The observation of further infusions of others, up to ``given``, where they open the stagger in this study."""
    rules = folder.conduct.slots.redosing
    if rules is None or not rules.opens_stagger:
        return []
    found, zone, days = [], site_zone(state, patient.site), folder.study.stagger.after_next_days
    for one in further_given(state):
        other = state.patients[one.patient]
        if one.infused_at is None or one.patient == patient.patient or other.part != "escalation":
            continue
        if given is None or one.infused_at <= given:
            shown = local(one.infused_at, zone)
            why = f"{other.site}-{other.patient} infused again {shown}; next patient {days} d"
            found.append(Bound(observed_until(one.infused_at, days, zone, folder), "ST-1", why))
    return found


def further_candidates(
    state: State, folder: StudyFolder, at: datetime, given: datetime | None = None
) -> list[str]:
    """Return, in words, the further infusions (up to ``given``) with a DLT that is proposed and not judged."""
    return [
        f"a DLT after infusion {one.exposure} of {state.patients[one.patient].site}-{one.patient} is not adjudicated"
        for one in further_given(state)
        if (given is None or (one.infused_at is not None and one.infused_at <= given))
        and exposure_window(state, one, folder, at).candidate
    ]


def observed_until(infused_at: datetime, days: int, zone: str, folder: StudyFolder) -> datetime:
    """Return the end of an observation of ``days``, in the study's unit and numbering of days (UTC)."""
    rules = folder.conduct.slots
    if rules.stagger_unit == "elapsed_hours":
        return infused_at + timedelta(hours=24 * days)
    site = ZoneInfo(zone)
    day = infused_at.astimezone(site).date() + timedelta(days=days - rules.infusion_is_day)
    return datetime.combine(day, time(), site).astimezone(UTC)


def infused_in_order(state: State, cohort: Cohort) -> list[Patient]:
    """Return the infused patients of ``cohort`` by actual infusion; the first is the sentinel."""
    infused = [p for p in state.patients.values() if p.cohort == cohort.cohort and p.infused_at is not None]
    return sorted(infused, key=lambda p: (p.infused_at, p.patient))


def _others_infused(state: State, cohort: Cohort, patient: Patient, given: datetime | None) -> list[Patient]:
    """Patients of ``cohort`` other than ``patient`` by actual infusion; only those infused by ``given``, if known."""
    return [
        other
        for other in infused_in_order(state, cohort)
        if other.patient != patient.patient and _infused_by(other, given)
    ]


def _infused_by(patient: Patient, moment: datetime | None) -> bool:
    assert patient.infused_at is not None
    return moment is None or patient.infused_at <= moment


def _last_decision(state: State, moment: datetime) -> int | None:
    """Number of the last decision made by ``moment``; None before the first."""
    return next((one.number for one in reversed(state.decisions) if one.at <= moment), None)


def sentinel_cleared(state: State, cohort: Cohort) -> datetime | None:
    """Return when the sentinel of ``cohort`` was cleared; None if not yet."""
    return next((one.at for one in state.slots.sentinels if one.cohort == cohort.cohort), None)


def _reviews(
    state: State, cohort: Cohort, patient: Patient, folder: StudyFolder, given: datetime | None
) -> list[str]:
    before = _others_infused(state, cohort, patient, given)
    if not before or not folder.conduct.slots.sentinel_review or sentinel_cleared(state, cohort) is not None:
        return []
    return [f"the review of the first patient, {before[0].site}-{before[0].patient}, is not signed [ST-5]"]


def candidates(
    state: State, cohort: Cohort, folder: StudyFolder, at: datetime, given: datetime | None = None
) -> list[str]:
    """Patients of the cohort with a DLT proposed and not judged: until then it counts as one.

    With ``given`` only those whom somebody could know of at that moment: infused, and with a record about it, by then.
    """
    found = []
    for other in infused_in_order(state, cohort):
        if given is not None and not (
            _infused_by(other, given) and _proposed_by(state, other, folder, given)
        ):
            continue
        if other.dlt_status is DltStatus.PENDING or other.patient in state.slots.reopened:
            proposal = propose_dlt(state, other.patient, folder, at)
            if proposal.status is DltStatus.DLT:
                clause = f" (clause {proposal.clause})" if proposal.clause else ""
                found.append(f"a DLT of {other.site}-{other.patient}{clause} is not adjudicated [ST-6]")
    return found


def _proposed_by(state: State, patient: Patient, folder: StudyFolder, moment: datetime) -> bool:
    """Tell whether the criteria proposed a DLT of ``patient`` on the records as they were at ``moment``."""
    known = {}
    for name, record in patient.records.items():
        versions = [one for one in record.versions() if one.recorded_at <= moment]
        if versions:
            known[name] = versions[-1]
    patients = {**state.patients, patient.patient: replace(patient, records=known)}
    then = replace(state, patients=patients)
    return propose_dlt(then, patient.patient, folder, moment).status is DltStatus.DLT


def unread(state: State, patient: Patient, moment: datetime) -> list[str]:
    """Return, in words, that the site has not acknowledged the last decision made by ``moment``; nothing if it has."""
    last = _last_decision(state, moment)
    if last is None:
        return []
    if state.slots.acknowledged_at(last, patient.site) is not None:
        return []
    return [f"site {patient.site} has not acknowledged decision {last} [ST-4]"]
