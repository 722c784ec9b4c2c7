"""A short script of a trial, for tests of conduct and store."""

from datetime import UTC, datetime, timedelta
from typing import Any

from escalon.conduct import commands as c
from escalon.conduct.committee import commands as committee
from escalon.conduct.committee.carried import decision_content, decision_ref
from escalon.conduct.committee.commands import Subject
from escalon.conduct.decide import decide
from escalon.conduct.events import DltStatus, Event
from escalon.conduct.fold import apply
from escalon.conduct.oversight.commands import AUTHENTICATED
from escalon.conduct.people import commands as people
from escalon.conduct.people.signatures import casebook_content, casebook_ref, content_hash
from escalon.conduct.slots import commands as slots
from escalon.conduct.slots.approval import sentinel_object
from escalon.conduct.state import Fact, State
from escalon.protocol import StudyFolder

T0 = datetime(2020, 1, 6, 9, tzinfo=UTC)
SPONSOR = c.Actor("s", "Sponsor", "sponsor")
PHYSICIAN = c.Actor("sp", "Sponsor physician", "sponsor")
ADMINISTRATOR = c.Actor("a", "Administrator", "administrator")
CHAIR = c.Actor("c", "Chair", "committee_member")
MEMBER = c.Actor("c2", "Second member", "committee_member")
THIRD_MEMBER = c.Actor("c3", "Third member", "committee_member")
STATISTICIAN = c.Actor("st", "Statistician", "statistician")
MONITOR = c.Actor("m", "Monitor", "medical_monitor")
DATA_MANAGER = c.Actor("dm", "Data manager", "data_manager")
SAFETY_OFFICER = c.Actor("so", "Safety officer", "safety_officer")
INSPECTOR = c.Actor("in", "Inspector", "inspector")
COORDINATOR = c.Actor("co", "Coordinator", "coordinator", "01")
INVESTIGATOR = c.Actor("i", "Investigator", "investigator", "01")
CRA = c.Actor("cra", "Site monitor", "monitor", "01")
COORDINATOR_2 = c.Actor("co2", "Coordinator, site 02", "coordinator", "02")
INVESTIGATOR_2 = c.Actor("i2", "Investigator, site 02", "investigator", "02")
CRA_2 = c.Actor("cra2", "Site monitor, site 02", "monitor", "02")
STAFF = (
    PHYSICIAN,
    CHAIR,
    MEMBER,
    THIRD_MEMBER,
    STATISTICIAN,
    MONITOR,
    DATA_MANAGER,
    SAFETY_OFFICER,
    INSPECTOR,
    COORDINATOR,
    INVESTIGATOR,
    CRA,
    COORDINATOR_2,
    INVESTIGATOR_2,
    CRA_2,
)
IDENTITY = "identity document, in person"


class Desk:
    """A ledger in memory: decide and fold, nothing else."""

    def __init__(self, folder: StudyFolder) -> None:
        self.folder = folder
        self.state = State()
        self.facts: list[Fact] = []
        self.sent: list[c.Signed] = []
        self.now = T0

    def send(self, actor: c.Actor, command: c.Command, *, days: float = 0) -> tuple[Event, ...] | c.Refused:
        self.now += timedelta(days=days)
        how = "password+otp" if isinstance(command, AUTHENTICATED) else "session"
        signed = c.Signed(command, actor, self.now, how)
        outcome = decide(self.state, signed, self.folder)
        if not isinstance(outcome, c.Refused):
            self.sent.append(signed)
            for event in outcome:
                fact = Fact(self.state.seq + 1, self.now, actor.id, actor.role, event)
                self.state = apply(self.state, fact)
                self.facts.append(fact)
        return outcome

    def must(self, actor: c.Actor, command: c.Command, *, days: float = 0) -> tuple[Event, ...]:
        outcome = self.send(actor, command, days=days)
        assert not isinstance(outcome, c.Refused), outcome
        return outcome

    def refused(self, actor: c.Actor, command: c.Command, *, days: float = 0) -> c.Refused:
        outcome = self.send(actor, command, days=days)
        assert isinstance(outcome, c.Refused), outcome
        return outcome


def enlist(person: c.Actor, at: datetime) -> list[tuple[c.Actor, c.Command]]:
    """The commands that make ``person`` a registered, identified, trained holder of its role for ten years."""
    giver = SPONSOR if person.role in ("sponsor", "administrator") else ADMINISTRATOR
    return [
        (giver, people.RegisterPerson(person.id, person.name, "Test")),
        (giver, people.VerifyIdentity(person.id, IDENTITY)),
        (
            giver,
            people.GrantRole(person.id, person.role, person.site, at, None, at + timedelta(days=3653)),
        ),
    ]


def opening(folder: StudyFolder, at: datetime = T0) -> list[tuple[c.Actor, c.Command]]:
    """The commands from opening the study until everybody of STAFF may act at the sites 01 and 02."""
    acts: list[tuple[c.Actor, c.Command]] = [(SPONSOR, c.OpenStudy(folder.hash, "0", "test"))]
    acts += enlist(ADMINISTRATOR, at)
    acts.append((ADMINISTRATOR, people.VerifyIdentity(SPONSOR.id, IDENTITY)))
    for site, country, zone in (("01", "USA", "America/New_York"), ("02", "FRA", "Europe/Paris")):
        acts.append((ADMINISTRATOR, people.RegisterSite(site, f"Site {site}", country, zone)))
        acts.append((SPONSOR, people.ApproveVersion(site, folder.hash)))
    return acts + [act for person in STAFF for act in enlist(person, at)]


def staffed(folder: StudyFolder) -> Desk:
    """An open study with everybody of STAFF, before the first decision."""
    desk = Desk(folder)
    for actor, command in opening(folder):
        desk.must(actor, command)
    return desk


def opened(folder: StudyFolder) -> Desk:
    desk = staffed(folder)
    for member, function in ((CHAIR, "chair"), (MEMBER, "clinician"), (THIRD_MEMBER, "statistician")):
        desk.must(SPONSOR, committee.AppointMember(member.id, function))
    meet(desk, "open", 1)
    return desk


def give(desk: Desk, signer: c.Actor, object_ref: str, content: Any, meaning: str = "approved") -> None:
    """Let ``signer`` sign ``content``."""
    desk.must(signer, people.GiveSignature(object_ref, meaning, content_hash(content)))


def sign_casebooks(desk: Desk) -> None:
    """Let the investigators sign the casebooks of the open cohort."""
    for patient in desk.state.cohort.patients if desk.state.cohort else ():
        signer = INVESTIGATOR if desk.state.patients[patient].site == "01" else INVESTIGATOR_2
        give(desk, signer, casebook_ref(patient), casebook_content(desk.state, patient), "responsibility")


def review(desk: Desk, subject: Subject = "dose") -> int:
    """Open a review on a fresh cut and let two members declare their interests; return its number."""
    desk.must(STATISTICIAN, committee.TakeCut("escalation", "test"))
    desk.must(CHAIR, committee.OpenReview(len(desk.state.committee.cuts), subject))
    number = len(desk.state.committee.reviews)
    for member in (CHAIR, MEMBER):
        desk.must(member, committee.DeclareInterest(number, False, "none"))
    return number


def vote(desk: Desk, number: int, action: str, level: int | None) -> None:
    """Let two members and the sponsor's physician carry an action and sign it."""
    for member in (CHAIR, MEMBER):
        desk.must(member, committee.CastVote(number, action, level, "as discussed"))
    content = decision_content(desk.state.committee.reviews[number - 1], action, level)
    for signer in (CHAIR, MEMBER, PHYSICIAN):
        give(desk, signer, decision_ref(number), content)


def meet(desk: Desk, action: str, level: int | None, reason: str = "as voted") -> tuple[Event, ...]:
    """Hold a whole meeting about the dose and decide."""
    sign_casebooks(desk)
    number = review(desk)
    vote(desk, number, action, level)
    return desk.must(CHAIR, c.DecideDose(action, level, reason, number))


def acknowledge(desk: Desk, coordinator: c.Actor = COORDINATOR) -> None:
    """The coordinator's site reads the last decision, if it has not."""
    last = desk.state.decisions[-1].number
    if desk.state.slots.acknowledged_at(last, coordinator.site) is None:
        desk.must(coordinator, slots.AcknowledgeDecision(last, coordinator.site))


def seat(desk: Desk, patient: str) -> None:
    """From the request of a slot at site 01 to the enrolment of ``patient`` on it."""
    acknowledge(desk)
    today = desk.now.date().isoformat()
    desk.must(COORDINATOR, slots.RequestSlot("01", f"C-{patient}"))
    number = len(desk.state.slots.slots)
    desk.must(INVESTIGATOR, slots.ConfirmSlot(number, patient, today))
    desk.must(COORDINATOR, c.EnrolPatient(patient, "01", today))


def enrol(desk: Desk, patient: str) -> None:
    study = desk.folder.study
    seat(desk, patient)
    level = desk.state.cohorts[desk.state.patients[patient].cohort - 1].dose_level
    day = desk.now.date()
    assign = c.AssignDose(patient, level, study.regimen_on(day).id, study.process_on(day) or "")
    desk.must(INVESTIGATOR, assign)


def exposure(desk: Desk, product: str, moment: datetime, given: float, planned: float) -> dict[str, Any]:
    return {
        "EXTRT": product,
        "EXDOSE": given,
        "EXDOSU": "CELLS/KG" if product == "UCART22" else "mg/m2",
        "EXPDOSE": planned,
        "EXSTDTC": moment.isoformat(),
        "EXENDTC": (moment + timedelta(minutes=30)).isoformat(),
        "EXROUTE": "INTRAVENOUS",
    }


def review_sentinel(desk: Desk, cohort: int) -> None:
    """The medical monitor clears the first patient of ``cohort``."""
    give(desk, MONITOR, *sentinel_object(cohort, "no toxicity"))
    desk.must(MONITOR, slots.ReviewSentinel(cohort, "no toxicity"))


def lymphodeplete(desk: Desk, patient: str) -> None:
    if patient not in desk.state.slots.eligible:
        desk.must(INVESTIGATOR, slots.ConfirmEligibility(patient))
    values = exposure(desk, "FLUDARABINE", desk.now, 30, 30)
    desk.must(COORDINATOR, c.RecordForm(patient, "EX", "EX-FLU-1", values))


def infuse(desk: Desk, patient: str, fraction: float = 1.0) -> tuple[Event, ...] | c.Refused:
    """Infuse now, or be refused; the first patient of the cohort is reviewed before when the time has come."""
    if _first_is_observed(desk, desk.state.patients[patient].cohort):
        review_sentinel(desk, desk.state.patients[patient].cohort)
    level = desk.state.patients[patient].dose_level or 1
    planned = desk.folder.study.dose_level(level).dose
    values = exposure(desk, "UCART22", desk.now, planned * fraction, planned)
    return desk.send(COORDINATOR, c.RecordForm(patient, "EX", "EX-CELLS-1", values))


def _first_is_observed(desk: Desk, cohort: int) -> bool:
    moments = [p.infused_at for p in desk.state.patients.values() if p.cohort == cohort and p.infused_at]
    cleared = any(review.cohort == cohort for review in desk.state.slots.sentinels)
    days = desk.folder.study.stagger.after_first_days
    return bool(moments) and not cleared and desk.now >= min(moments) + timedelta(days=days)


def adverse_event(desk: Desk, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "AETERM": "Pneumonitis",
        "AEDECOD": "Pneumonitis",
        "AEBODSYS": "Respiratory, thoracic and mediastinal disorders",
        "AECAT": "GENERAL",
        "AESTDTC": desk.now.isoformat(),
        "AETOXGR": 4,
        "AEGRSYS": "CTCAE 5.0",
        "AESER": "Y",
        "AESDTH": "N",
        "AESLIFE": "Y",
        "AESHOSP": "Y",
        "AEOUT": "NOT RECOVERED/NOT RESOLVED",
        "AERELUC": "PROBABLE",
        "AERELCL": "NOT RELATED",
        "AERELFL": "NOT RELATED",
        "AERELCY": "NOT RELATED",
        "AERELDS": "NOT RELATED",
        "AEEXPLD": "N",
    }
    return {**values, **changes}


def panel(desk: Desk) -> dict[str, Any]:
    return {
        "LBDTC": desk.now.isoformat(),
        "NEUT": 1.2,
        "PLAT": 90,
        "LYM": 0.3,
        "WBC": 2.0,
        "ALT": 30,
        "BILI": 10,
    }


def observe_cohort(desk: Desk, patients: list[str], dlts: tuple[str, ...] = ()) -> None:
    """Enrol, infuse (staggered) and follow a cohort to its adjudications."""
    for number, patient in enumerate(patients):
        enrol(desk, patient)
        lymphodeplete(desk, patient)
        desk.now += timedelta(days=5)
        assert not isinstance(infuse(desk, patient), c.Refused)
        if patient in dlts:
            desk.must(COORDINATOR, c.RecordForm(patient, "AE", "AE-1", adverse_event(desk)))
            judge(desk, patient)
        stagger = desk.folder.study.stagger
        desk.now += timedelta(days=stagger.after_first_days if number == 0 else stagger.after_next_days)
    for patient in patients:
        infused = desk.state.patients[patient].infused_at
        assert infused is not None
        desk.now = max(desk.now, infused + timedelta(days=28))
        desk.must(COORDINATOR, c.RecordForm(patient, "LB", "LB-D28", panel(desk), "D28"))
    desk.now += timedelta(days=2)
    for patient in patients:
        if desk.state.patients[patient].dlt_status is DltStatus.PENDING:
            judge(desk, patient)


def judge(desk: Desk, patient: str) -> None:
    from escalon.conduct.proposals import propose_dlt

    proposal = propose_dlt(desk.state, patient, desk.folder, desk.now)
    desk.must(MONITOR, c.AdjudicateDlt(patient, proposal.status, proposal.text, proposal.clause))
