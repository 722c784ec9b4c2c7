"""A walk through conduct at random: wishes of every kind, most of them refused, each fact shown to the oracles."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from escalon.conduct import commands as c
from escalon.conduct.act import Actor, Command, Event, Refused, Signed
from escalon.conduct.capture import commands as capture
from escalon.conduct.capture.queries import open_queries
from escalon.conduct.decide import decide
from escalon.conduct.encoding import decode, encode
from escalon.conduct.events import DltStatus
from escalon.conduct.fold import apply
from escalon.conduct.holds import slot_level
from escalon.conduct.proposals import propose_dlt
from escalon.conduct.slots import commands as slots
from escalon.conduct.slots.approval import override_object, replacement_object, sentinel_object
from escalon.conduct.slots.state import Slot
from escalon.conduct.state import Fact, Patient, State
from escalon.protocol import StudyFolder
from tests import act
from tests.conduct_watch import Chance, Watch, shown

SITES = {"01": (act.COORDINATOR, act.INVESTIGATOR), "02": (act.COORDINATOR_2, act.INVESTIGATOR_2)}
HOURS = (0, 1, 5, 24, 24, 48, 7 * 24, 14 * 24)


class Walk(act.Desk):
    """A desk on which wishes are drawn; ``violations`` is what the oracles found."""

    def __init__(self, folder: StudyFolder, chance: Chance) -> None:
        super().__init__(folder)
        self.chance = chance
        self.oracle = Watch(folder)
        self.violations: list[str] = []
        self.done: dict[str, int] = {}
        self.candidates = 0
        self.instead: Actor | None = None
        self.wishes = WISHES

    def copied(self, chance: Chance) -> "Walk":
        """Return a walk that goes on from here on its own."""
        other = Walk(self.folder, chance)
        other.state, other.now, other.candidates = self.state, self.now, self.candidates
        other.oracle = self.oracle.copied()
        other.wishes = self.wishes
        return other

    def send(self, actor: Actor, command: Command, *, days: float = 0) -> tuple[Event, ...] | Refused:
        """Decide, write, read back, fold; the oracles read what was written, not what was meant."""
        self.now += timedelta(days=days)
        signs = type(command).__name__ == "GiveSignature"
        if self.instead is not None and not signs:
            actor, self.instead = self.instead, None
        how = "password+otp" if signs else "session"
        outcome = decide(self.state, Signed(command, actor, self.now, how), self.folder)
        if isinstance(outcome, Refused):
            if outcome.rule == "hold":
                self.violations += self.oracle.refused(command, self.now)
            return outcome
        if not outcome:
            self.violations.append(f"AT-1: {type(command).__name__} changed nothing and was not refused")
        written = []
        for event in outcome:
            kind, payload = encode(event)
            fact = Fact(self.state.seq + 1, self.now, actor.id, actor.role, decode(kind, payload))
            self.state = apply(self.state, fact)
            self.facts.append(fact)
            written.append(
                {**json.loads(payload), "seq": fact.seq, "at": self.now, "actor": actor.id, "kind": kind}
            )
        self.violations += self.oracle.read(actor, command, written)
        if shown(self.state) != self.oracle.snapshot():
            self.violations.append(f"AT-1: after fact {self.state.seq} the state is not what the facts say")
        return outcome

    def start(self) -> None:
        """Open the study with its staff and the first cohort."""
        for actor, command in act.opening(self.folder):
            self.must(actor, command)
        for member, function in (
            (act.CHAIR, "chair"),
            (act.MEMBER, "clinician"),
            (act.THIRD_MEMBER, "statistician"),
        ):
            self.must(act.SPONSOR, act.committee.AppointMember(member.id, function))
        act.meet(self, "open", 1)

    def step(self) -> None:
        """Draw one wish and send it."""
        wish = self.wishes[self.chance(0, len(self.wishes) - 1)]
        outcome = wish(self)
        word = "refused" if outcome is None or isinstance(outcome, Refused) else "done"
        key = f"{wish.__name__.strip('_')} {word}"
        self.done[key] = self.done.get(key, 0) + 1

    def pick(self, names: list[Any]) -> Any:
        """One of ``names``; None when there is none."""
        return names[self.chance(0, len(names) - 1)] if names else None

    def site_of(self, patient: str) -> tuple[Actor, Actor]:
        """Coordinator and investigator of a patient's site."""
        return SITES[self.state.patients[patient].site]


Wish = Callable[[Walk], "tuple[Event, ...] | Refused | None"]


def _wait(walk: Walk) -> None:
    walk.now += timedelta(hours=HOURS[walk.chance(0, len(HOURS) - 1)])


def _request(walk: Walk) -> Any:
    site = walk.pick(sorted(SITES))
    walk.candidates += walk.chance(0, 5) > 0  # now and then the same candidate again
    return walk.send(SITES[site][0], slots.RequestSlot(site, f"C-{walk.candidates}"))


def _acknowledge(walk: Walk) -> Any:
    site = walk.pick(sorted(SITES))
    number = walk.state.decisions[-1].number - walk.chance(0, 1)
    return walk.send(SITES[site][0], slots.AcknowledgeDecision(number, site))


def _confirm(walk: Walk) -> Any:
    known = [s for s in walk.state.slots.slots if s.status in ("reserved", "waitlisted", "confirmed")]
    slot = walk.pick(known[-6:])
    if slot is None:
        return None
    patient = f"{len(walk.state.slots.slots) * 10 + walk.chance(0, 9):03d}"
    consented = (walk.now + timedelta(days=walk.chance(-3, 1) // 1)).date().isoformat()
    return walk.send(
        SITES[slot.site][walk.chance(0, 4) > 0], slots.ConfirmSlot(slot.number, patient, consented)
    )


def _release(walk: Walk) -> Any:
    slot = walk.pick([slot for slot in walk.state.slots.slots if slot.status != "released"])
    if slot is None or walk.chance(0, 2):
        return None
    return walk.send(SITES[slot.site][0], slots.ReleaseSlot(slot.number, "handed back"))


def _enrol(walk: Walk) -> Any:
    slot = walk.pick([slot for slot in walk.state.slots.slots if slot.patient is not None][-4:])
    if slot is None:
        return None
    return walk.send(
        SITES[slot.site][0], c.EnrolPatient(slot.patient or "", slot.site, slot.consented_on or "")
    )


def _assign(walk: Walk) -> Any:
    patient = walk.pick([p for p in walk.state.patients.values() if p.dose_level is None])
    if patient is None:
        return None
    own = walk.state.slots.of_patient(patient.patient)
    level = walk.chance(1, 4) if walk.chance(0, 2) == 0 or own is None else slot_level(walk.state, own)
    day = patient.enrolled_at.date()
    study = walk.folder.study
    regimen = walk.pick([one.id for one in study.regimens] + [study.regimen_on(day).id] * 4)
    command = c.AssignDose(patient.patient, level, regimen, study.process_on(day) or "")
    return walk.send(walk.site_of(patient.patient)[1], command)


def _eligible(walk: Walk) -> Any:
    patient = walk.pick([p.patient for p in walk.state.patients.values() if p.infused_at is None])
    return None if patient is None else walk.send(walk.site_of(patient)[1], slots.ConfirmEligibility(patient))


def _condition(walk: Walk) -> Any:
    patient = walk.pick([p for p in walk.state.patients.values() if p.infused_at is None])
    if patient is None:
        return None
    values = act.exposure(walk, "FLUDARABINE", walk.now, 30, 30)
    record = f"EX-FLU-{1 + len(patient.records)}"
    return walk.send(walk.site_of(patient.patient)[0], c.RecordForm(patient.patient, "EX", record, values))


def _infuse(walk: Walk) -> Any:
    patient = walk.pick(
        [p for p in walk.state.patients.values() if p.infused_at is None or walk.chance(0, 9) == 0]
    )
    if patient is None:
        return None
    level = patient.dose_level or 1
    if walk.chance(0, 9) == 0:
        level = walk.chance(1, 4)
    planned = walk.folder.study.dose_level(level).dose
    moment = walk.now - timedelta(hours=walk.pick([0, 0, 0, 1, 30, 240, 360]))
    given = planned * walk.pick([1.0, 0.95, 0.6])
    values = act.exposure(walk, "UCART22", moment, given, planned)
    record = f"EX-CELLS-{1 + len(patient.records)}"
    return walk.send(walk.site_of(patient.patient)[0], c.RecordForm(patient.patient, "EX", record, values))


def _correct(walk: Walk) -> Any:
    """Enter another moment for an infusion of the past."""
    infused = [p for p in walk.state.patients.values() if p.infused_at is not None]
    patient = walk.pick(infused)
    if patient is None or patient.infused_at is None:
        return None
    record = next(r for r in patient.forms("EX") if r.values["EXTRT"] == "UCART22")
    moment = patient.infused_at + timedelta(hours=walk.pick([-30, -2, 2]))
    changed = {
        **record.values,
        "EXSTDTC": moment.isoformat(),
        "EXENDTC": (moment + timedelta(minutes=30)).isoformat(),
    }
    command = c.RecordForm(patient.patient, "EX", record.record, changed, record.visit, "wrong time entered")
    return walk.send(walk.site_of(patient.patient)[0], command)


def _event(walk: Walk) -> Any:
    """An adverse event, mild, dose-limiting or fatal."""
    patient = walk.pick([p for p in walk.state.patients.values() if p.infused_at is not None])
    if patient is None:
        return None
    grade = walk.pick([1, 2, 2, 2, 2, 2, 3, 4, 5])
    fatal = {"AESDTH": "Y", "AEOUT": "FATAL"} if grade == 5 else {}
    values = act.adverse_event(walk, AETOXGR=grade, **fatal)
    record = f"AE-{1 + len(patient.records)}"
    return walk.send(walk.site_of(patient.patient)[0], c.RecordForm(patient.patient, "AE", record, values))


def _panel(walk: Walk) -> Any:
    patient = walk.pick([p for p in walk.state.patients.values() if p.infused_at is not None])
    if patient is None:
        return None
    command = c.RecordForm(patient.patient, "LB", f"LB-{1 + len(patient.records)}", act.panel(walk), "D28")
    return walk.send(walk.site_of(patient.patient)[0], command)


def _judge(walk: Walk) -> Any:
    patient = walk.pick(list(walk.state.patients.values())[-6:])
    if patient is None:
        return None
    proposal = propose_dlt(walk.state, patient.patient, walk.folder, walk.now)
    status = proposal.status if walk.chance(0, 4) else walk.pick(list(DltStatus))
    return walk.send(
        act.MONITOR, c.AdjudicateDlt(patient.patient, status, proposal.text, proposal.clause or "1")
    )


def _leave(walk: Walk) -> Any:
    patient = walk.pick([p.patient for p in walk.state.patients.values() if p.infused_at is None])
    return None if patient is None or walk.chance(0, 5) else _not_infused(walk, patient)


def _not_infused(walk: Walk, patient: str) -> Any:
    values = {"DSDECOD": "NOT INFUSED", "DSSTDTC": walk.now.date().isoformat(), "DSTERM": "infection"}
    return walk.send(walk.site_of(patient)[0], c.RecordForm(patient, "DS", "DS-NI", values))


def _sign(walk: Walk, signer: Actor, signed: tuple[str, dict[str, Any]]) -> None:
    walk.send(signer, act.people.GiveSignature(signed[0], "approved", act.content_hash(signed[1])))


def _review(walk: Walk) -> Any:
    cohort = walk.state.cohorts[-1].cohort
    if walk.chance(0, 4):
        _sign(walk, act.MONITOR, sentinel_object(cohort, "seen"))
    return walk.send(act.MONITOR, slots.ReviewSentinel(cohort, "seen"))


def _replace(walk: Walk) -> Any:
    patient = walk.pick([p.patient for p in walk.state.patients.values() if p.dlt_status == "NOT_EVALUABLE"])
    if patient is None:
        return None
    _sign(walk, act.MONITOR, replacement_object(patient, "not evaluable"))
    return walk.send(act.MONITOR, slots.ApproveReplacement(patient, "not evaluable"))


def _override(walk: Walk) -> Any:
    patient = walk.pick([p.patient for p in walk.state.patients.values() if p.infused_at is None])
    if patient is None or walk.chance(0, 3):
        return None
    signers = (act.MONITOR, act.CHAIR)[: walk.chance(1, 2)]
    for signer in signers:
        _sign(walk, signer, override_object(patient, walk.now.isoformat(), "cells expire"))
    ids = tuple(signer.id for signer in signers)
    return walk.send(act.MONITOR, slots.OverrideStagger(patient, walk.now, "cells expire", ids))


def _lift(walk: Walk) -> Any:
    if not walk.state.open_holds:
        return None
    hold = walk.state.open_holds[0].number
    for signer in (act.CHAIR, act.PHYSICIAN):
        _sign(walk, signer, (f"hold:{hold}", {"hold": hold, "reason": "reviewed"}))
    return walk.send(act.CHAIR, c.LiftHold(hold, "reviewed"))


def _decide(walk: Walk) -> Any:
    """Ask the rule and, where it answers, hold the meeting; casebooks with open queries cannot be signed for it."""
    for query in open_queries(walk.state):
        walk.send(
            walk.site_of(query.patient)[0],
            capture.AnswerQuery(query.patient, query.query, "as in the source"),
        )
        walk.send(act.DATA_MANAGER, capture.CloseQuery(query.patient, query.query, "accepted"))
    if open_queries(walk.state):
        return None
    asked = walk.send(act.STATISTICIAN, c.RequestRecommendation())
    if isinstance(asked, Refused):
        return asked
    recommended = walk.state.recommendations[-1]
    action, level = recommended.action, recommended.dose_level
    if action == "stop":  # the walk goes on: the rule's stop is tested elsewhere
        return None
    for one in walk.state.patients.values():
        if one.part == "backfill":
            content = act.content_hash(act.casebook_content(walk.state, one.patient))
            signature = act.people.GiveSignature(act.casebook_ref(one.patient), "responsibility", content)
            walk.send(walk.site_of(one.patient)[1], signature)
    act.sign_casebooks(walk)
    number = act.review(walk)
    act.vote(walk, number, action, level)
    return walk.send(act.CHAIR, c.DecideDose(action, level, "as voted", number))


def _come_late(walk: Walk) -> Any:
    """Confirm after the reservation is over, as the first act since."""
    slot = walk.pick([one for one in walk.state.slots.slots if one.status == "reserved"])
    if slot is None:
        return None
    walk.now += timedelta(hours=168)
    command = slots.ConfirmSlot(slot.number, f"{slot.number:03d}", walk.now.date().isoformat())
    return walk.send(SITES[slot.site][1], command)


def _ask_in_a_hold(walk: Walk) -> Any:
    """Free a seat and ask for one while enrolment is held."""
    if not walk.state.open_holds:
        return None
    waiting = [one for one in walk.state.patients.values() if one.infused_at is None and one.released is None]
    for slot in [one for one in walk.state.slots.slots if one.holds_seat and one.patient is None]:
        walk.send(SITES[slot.site][0], slots.ReleaseSlot(slot.number, "handed back"))
    if waiting:
        _not_infused(walk, waiting[-1].patient)
    return _request(walk)


def _expire(walk: Walk) -> Any:
    return walk.send(act.DATA_MANAGER, slots.ExpireSlots())


def _advance(walk: Walk) -> Any:
    """The next right thing for somebody, so that walks get far enough for the wrong things to matter."""
    seats = [one for one in walk.state.slots.slots if one.holds_seat]
    unfinished = [one for one in seats if not _judged(walk.state, one)]
    slot = walk.pick(unfinished if walk.chance(0, 9) else seats)
    if slot is None:
        return _request(walk)
    nurse, doctor = SITES[slot.site]
    today = walk.now.date().isoformat()
    last = walk.state.decisions[-1].number
    if walk.state.slots.acknowledged_at(last, slot.site) is None:
        return walk.send(nurse, slots.AcknowledgeDecision(last, slot.site))
    if slot.patient is None:
        return walk.send(doctor, slots.ConfirmSlot(slot.number, f"{slot.number:03d}", today))
    patient = walk.state.patients.get(slot.patient)
    if patient is None:
        return walk.send(nurse, c.EnrolPatient(slot.patient, slot.site, slot.consented_on or today))
    if patient.dose_level is None:
        day, study = patient.enrolled_at.date(), walk.folder.study
        level = slot_level(walk.state, slot)
        regimen, process = study.regimen_on(day).id, study.process_on(day) or ""
        return walk.send(doctor, c.AssignDose(patient.patient, level, regimen, process))
    if patient.patient not in walk.state.slots.eligible:
        return walk.send(doctor, slots.ConfirmEligibility(patient.patient))
    return _treat(walk, patient, nurse)


def _judged(state: State, slot: Slot) -> bool:
    patient = state.patients.get(slot.patient or "")
    return patient is not None and patient.dlt_status is not DltStatus.PENDING


def _treat(walk: Walk, patient: Patient, nurse: Actor) -> Any:
    if not patient.forms("EX"):
        values = act.exposure(walk, "FLUDARABINE", walk.now, 30, 30)
        return walk.send(nurse, c.RecordForm(patient.patient, "EX", "EX-FLU-1", values))
    if patient.infused_at is None:
        planned = walk.folder.study.dose_level(patient.dose_level or 1).dose
        values = act.exposure(walk, "UCART22", walk.now, planned, planned)
        return walk.send(nurse, c.RecordForm(patient.patient, "EX", f"EX-CELLS-{walk.state.seq}", values))
    if patient.dlt_status is DltStatus.PENDING and walk.now < patient.infused_at + timedelta(days=30):
        walk.now += timedelta(days=2)
        return None
    if patient.dlt_status is DltStatus.PENDING and not patient.forms("LB"):
        return walk.send(nurse, c.RecordForm(patient.patient, "LB", "LB-D28", act.panel(walk), "D28"))
    proposal = propose_dlt(walk.state, patient.patient, walk.folder, walk.now)
    judged = c.AdjudicateDlt(patient.patient, proposal.status, proposal.text, proposal.clause)
    return walk.send(act.MONITOR, judged)


WISHES: tuple[Wish, ...] = (
    *[_advance] * 30, _wait, _wait, _request, _request, _acknowledge, _acknowledge, _confirm, _confirm, _confirm,
    _release, _enrol, _enrol, _assign, _assign, _eligible, _eligible, _condition, _condition, _condition,
    _infuse, _infuse, _infuse, _infuse, _correct, _event, _panel, _judge, _judge, _leave, *[_review] * 6,
    _replace, _override, *[_lift] * 4, *[_decide] * 4, _request, _request, _expire, _come_late,
    _ask_in_a_hold,
)  # fmt: skip
