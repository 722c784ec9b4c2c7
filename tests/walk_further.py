"""Wishes about further infusions, backfill and whoever is not the right person; right ones and wrong ones."""

from datetime import datetime, timedelta
from typing import Any

from escalon.conduct import commands as c
from escalon.conduct.events import DltStatus
from escalon.conduct.exposure_record import propose_exposure
from escalon.conduct.slots import commands as slots
from escalon.conduct.slots.approval import redosing_object
from escalon.conduct.slots.exposures import cell_records, exposures, further_given, open_approval
from escalon.conduct.slots.state import Exposure
from escalon.conduct.state import Patient
from tests import act
from tests.conduct_walk import SITES, WISHES, Walk, Wish, _decide, _sign

REASON = "cells lost"


def _infused(walk: Walk) -> list[Patient]:
    return [one for one in walk.state.patients.values() if one.infused_at is not None]


def _well(walk: Walk) -> list[Patient]:
    return [one for one in _infused(walk) if one.dlt_status is DltStatus.NO_DLT]


def _approve(walk: Walk) -> Any:
    """Approve a further infusion: of anybody, at any level, signed by nobody, one, two, or for another number."""
    patient = walk.pick(_well(walk) if walk.chance(0, 3) else list(walk.state.patients.values()))
    if patient is None:
        return None
    level = patient.dose_level or 1
    level = walk.chance(1, 4) if walk.chance(0, 2) == 0 else level
    return approve_again(walk, patient, level, walk.chance(0, 5), walk.chance(0, 9) == 0)


def approve_again(walk: Walk, patient: Patient, level: int, lacking: int, wrong: bool) -> Any:
    number = len(exposures(walk.state, patient.patient)) + 1 + wrong
    signers = (act.CHAIR, act.MONITOR)
    for signer in signers[lacking if lacking < 3 else 0 :]:
        _sign(walk, signer, redosing_object(patient.patient, number, level, REASON))
    ids = (act.CHAIR.id, act.CHAIR.id if lacking == 5 else act.MONITOR.id)
    return walk.send(act.CHAIR, slots.ApproveRedosing(patient.patient, level, REASON, ids))


def _cells(walk: Walk, patient: Patient, level: int, moment: datetime, share: float = 1.0) -> Any:
    planned = walk.folder.study.dose_level(level).dose
    values = act.exposure(walk, "UCART22", moment, planned * share, planned)
    record = f"EX-CELLS-{1 + len(patient.records)}"
    return walk.send(walk.site_of(patient.patient)[0], c.RecordForm(patient.patient, "EX", record, values))


def _infuse_again(walk: Walk) -> Any:
    """Give cells again: approved or not, now, in the past, ahead, at the level approved or another."""
    due = [one for one in _infused(walk) if open_approval(walk.state, one.patient) is not None]
    patient = walk.pick(due if due and walk.chance(0, 4) else _infused(walk))
    if patient is None:
        return None
    approved = open_approval(walk.state, patient.patient)
    level = patient.dose_level or 1
    if approved is not None:
        level = approved.dose_level
    if walk.chance(0, 7) == 0:
        level = walk.chance(1, 4)
    hours = walk.pick([0, 0, 0, 1, 30, 100, 240, 700, -2])
    return _cells(walk, patient, level, walk.now - timedelta(hours=hours), walk.pick([1.0, 0.95, 0.6]))


def _condition_again(walk: Walk) -> Any:
    patient = walk.pick(_infused(walk))
    if patient is None:
        return None
    moment = walk.now - timedelta(hours=walk.pick([0, 0, 0, 48, 300]))
    values = act.exposure(walk, "FLUDARABINE", moment, 30, 30)
    record = f"EX-FLU-{1 + len(patient.records)}"
    return walk.send(walk.site_of(patient.patient)[0], c.RecordForm(patient.patient, "EX", record, values))


def _correct_any(walk: Walk) -> Any:
    """Enter another moment for any infusion; sometimes past its neighbour, too close to it, or ahead."""
    often = [one for one in _infused(walk) if len(cell_records(one)) > 1]
    patient = walk.pick(often or _infused(walk))
    if patient is None:
        return None
    record = walk.pick(list(cell_records(patient)))
    moment = datetime.fromisoformat(record.values["EXSTDTC"])
    moment += timedelta(hours=walk.pick([-700, -240, -30, -2, 2, 30, 240, 700]))
    changed = {
        **record.values,
        "EXSTDTC": moment.isoformat(),
        "EXENDTC": (moment + timedelta(minutes=30)).isoformat(),
    }
    command = c.RecordForm(patient.patient, "EX", record.record, changed, record.visit, "wrong time entered")
    return walk.send(walk.site_of(patient.patient)[0], command)


def _judge_again(walk: Walk) -> Any:
    one = walk.pick(list(further_given(walk.state)))
    if one is None:
        return None
    number = one.exposure + (walk.chance(0, 9) == 0)
    return _judged(walk, one, number, walk.chance(0, 3) == 0)


def _judged(walk: Walk, one: Exposure, number: int, wrong: bool) -> Any:
    proposal = propose_exposure(walk.state, one, walk.folder, walk.now)
    status = walk.pick(list(DltStatus)) if wrong else proposal.status
    clause = proposal.clause or walk.pick(["1", None])
    command = slots.AdjudicateExposure(one.patient, number, status, proposal.text or "seen", clause)
    return walk.send(act.MONITOR, command)


def _go_on(walk: Walk) -> Any:
    """The next right thing for a patient who is infused again: approve, wait, give, see, judge."""
    patient = walk.pick(_well(walk)[:4])
    if patient is None:
        return None
    known, rules = exposures(walk.state, patient.patient), walk.folder.conduct.slots.redosing
    last, earlier = known[-1], known[-2:-1]
    if rules is not None and last.infused_at is None and earlier and earlier[0].infused_at is not None:
        moment = earlier[0].infused_at + timedelta(days=rules.days_between)
        if walk.now < moment and moment - walk.now < timedelta(days=40):
            walk.now = moment - timedelta(hours=walk.pick([0, 0, 0, 1]))
        return _cells(walk, patient, last.dose_level, walk.now)
    if last.exposure == 1 or (last.judged is not None and not last.reopened):
        return approve_again(walk, patient, patient.dose_level or 1, 3, wrong=False)
    if propose_exposure(walk.state, last, walk.folder, walk.now).status is not DltStatus.PENDING:
        return _judged(walk, last, last.exposure, wrong=False)
    if walk.chance(0, 5) == 0:  # too soon, which is refused
        judged = slots.AdjudicateExposure(last.patient, last.exposure, DltStatus.NO_DLT, "seen")
        return walk.send(act.MONITOR, judged)
    walk.now += timedelta(days=walk.pick([7, 7, 6, 1]))
    command = c.RecordForm(patient.patient, "LB", f"LB-{1 + len(patient.records)}", act.panel(walk))
    return walk.send(walk.site_of(patient.patient)[0], command)


def _give_after_a_death(walk: Walk) -> Any:
    """Somebody of the highest level dies, and the approved cells of others are given all the same."""
    infused = _infused(walk)
    due = [one for one in infused if open_approval(walk.state, one.patient) is not None]
    if not due or walk.state.open_holds:
        return None
    top = max(infused, key=lambda one: one.dose_level or 0)
    values = act.adverse_event(walk, AETOXGR=5, AESDTH="Y", AEOUT="FATAL")
    command = c.RecordForm(top.patient, "AE", f"AE-{1 + len(top.records)}", values)
    walk.send(walk.site_of(top.patient)[0], command)
    outcome = None
    for one in due:
        approved = open_approval(walk.state, one.patient)
        assert approved is not None
        outcome = _cells(walk, walk.state.patients[one.patient], approved.dose_level, walk.now)
    return outcome


def _ask_below(walk: Walk) -> Any:
    site = walk.pick(sorted(SITES))
    walk.candidates += 1
    return walk.send(SITES[site][0], slots.RequestSlot(site, f"B-{walk.candidates}", backfill=True))


def _seed(walk: Walk) -> Any:
    return walk.send(act.STATISTICIAN, c.RecordBackfillSeed(walk.chance(0, 99)))


def _respond(walk: Walk) -> Any:
    """A response, or none, of an infused patient."""
    patient = walk.pick(_infused(walk))
    if patient is None:
        return None
    values = {
        "RSDTC": walk.now.date().isoformat(),
        "RSORRES": walk.pick(["CR", "CR", "CRi", "NR"]),
        "BMBLAST": 2,
    }
    command = c.RecordForm(patient.patient, "RS", f"RS-{1 + len(patient.records)}", values)
    return walk.send(walk.site_of(patient.patient)[0], command)


def _somebody_else(walk: Walk) -> Any:
    """Any wish, sent by anybody of the staff, signed by the right ones."""
    every = dict.fromkeys((*WISHES, *AGAIN, *BELOW))
    wishes = [wish for wish in every if wish not in (_decide, _somebody_else)] + [_go_on] * 40
    wish = wishes[walk.chance(0, len(wishes) - 1)]
    walk.instead = walk.pick(list(act.STAFF))
    outcome = wish(walk)
    walk.instead = None
    return outcome


AGAIN: tuple[Wish, ...] = (
    _approve, _infuse_again, *[_somebody_else] * 4, *[_go_on] * 8, _approve, _infuse_again, _infuse_again,
    _condition_again, _correct_any, _correct_any, _judge_again, _judge_again, _give_after_a_death, _give_after_a_death,
)  # fmt: skip
BELOW: tuple[Wish, ...] = (_ask_below, *[_ask_below] * 5, _seed, _respond, _respond)
