"""The virtual trial acts through commands only, in every scenario, and the same seed gives the same facts."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise

import pytest

from escalon.conduct import commands as c
from escalon.conduct.capture.marks import unconfirmed, unverified
from escalon.conduct.capture.origins import answer_sources
from escalon.conduct.capture.queries import open_queries
from escalon.conduct.cohorts import escalation_counts
from escalon.conduct.committee.events import CutTaken
from escalon.conduct.decide import decide
from escalon.conduct.encoding import decode, encode
from escalon.conduct.events import DltStatus, Event
from escalon.conduct.fold import apply
from escalon.conduct.oversight.audit_review import selection_of
from escalon.conduct.oversight.notices import waiting
from escalon.conduct.oversight.select import pin, selects
from escalon.conduct.oversight.trail import Line, Row, Trail, occurred_items
from escalon.conduct.people.events import ObjectDisplayed, SecurityEventRecorded, SignatureGiven
from escalon.conduct.people.signatures import casebook_content, content_hash, valid_signatures
from escalon.conduct.safety.events import CaseAssessed, ReportAcknowledged
from escalon.conduct.safety.icsr.reproduce import reproduce_report
from escalon.conduct.safety.lock_points import calendar
from escalon.conduct.state import Fact, State
from escalon.protocol import StudyFolder
from escalon.virtual.trial import run_trial


class MemoryDesk:
    """Decide and fold, with every fact kept."""

    def __init__(self, folder: StudyFolder) -> None:
        self.folder = folder
        self.state = State()
        self.facts: list[Fact] = []

    @contextmanager
    def batch(self) -> Iterator[None]:
        yield

    def execute(self, signed: c.Signed) -> tuple[Event, ...] | c.Refused:
        outcome = decide(self.state, signed, self.folder)
        if not isinstance(outcome, c.Refused):
            for event in outcome:
                fact = Fact(len(self.facts) + 1, signed.at, signed.actor.id, signed.actor.role, event)
                self.facts.append(fact)
                self.state = apply(self.state, fact)
        return outcome


def run(folder: StudyFolder, seed: int, scenario: str | None = None) -> MemoryDesk:
    desk = MemoryDesk(folder)
    run_trial(desk, folder, seed=seed, software="test", scenario=scenario)
    return desk


@pytest.fixture(scope="module")
def first(balli: StudyFolder) -> MemoryDesk:
    return run(balli, 1)


def test_the_same_seed_gives_the_same_facts(balli: StudyFolder, first: MemoryDesk) -> None:
    again = run(balli, 1)
    assert [(f.at, f.actor_id, encode(f.event)) for f in again.facts] == [
        (f.at, f.actor_id, encode(f.event)) for f in first.facts
    ]
    other = run(balli, 2)
    assert [encode(f.event) for f in other.facts] != [encode(f.event) for f in first.facts]


def test_the_trial_runs_from_opening_to_closure(balli: StudyFolder, first: MemoryDesk) -> None:
    state = first.state
    assert state.opened_at is not None
    assert state.closed_at is not None
    assert state.mtd is not None
    assert state.rp2d is not None
    assert {patient.part for patient in state.patients.values()} == {"escalation", "expansion"}
    infused = [p for p in state.patients.values() if p.infused_at is not None]
    assert infused
    assert all(patient.dlt_status is not DltStatus.PENDING for patient in state.patients.values())


def test_every_recommendation_is_what_the_plan_says_and_is_decided_upon(
    balli: StudyFolder, first: MemoryDesk
) -> None:
    plan = balli.study.escalation
    for recommendation in first.state.recommendations:
        inputs = recommendation.inputs
        again = plan.recommend((inputs["n"], inputs["y"], inputs["current_level"]))
        assert (again.action, again.level) == (recommendation.action, recommendation.dose_level)
    decided = [d.recommendation for d in first.state.decisions if d.recommendation is not None]
    assert decided == [r.number for r in first.state.recommendations]
    n, y = escalation_counts(first.state, plan.levels)
    assert first.state.mtd is not None
    assert (first.state.mtd.n, first.state.mtd.y) == (n, y)


@pytest.mark.parametrize("scenario", ["all-safe", "all-toxic", "steep", "flat"])
@pytest.mark.parametrize("seed", [3, 4])
def test_every_scenario_ends_without_a_refusal(balli: StudyFolder, scenario: str, seed: int) -> None:
    state = run(balli, seed, scenario).state
    assert state.closed_at is not None
    assert state.mtd is not None
    level = state.rp2d.dose_level if state.rp2d else None
    assert (level is None) == (state.mtd.dose_level is None)


def test_a_toxic_expansion_is_held_and_nobody_enrols_after(balli: StudyFolder) -> None:
    desk = run(balli, 5, "all-toxic")
    holds = [hold for hold in desk.state.holds if hold.rule == "expansion-dlt"]
    assert len(holds) == 1
    assert holds[0].lifted_at is None
    assert desk.state.rp2d is not None
    level = desk.state.rp2d.dose_level
    counted = [
        p
        for p in desk.state.patients.values()
        if p.dose_level == level
        and p.dlt_adjudicated_at is not None
        and p.dlt_adjudicated_at <= holds[0].at
        and p.dlt_status in (DltStatus.DLT, DltStatus.NO_DLT)
    ]
    n, y = len(counted), sum(p.dlt_status is DltStatus.DLT for p in counted)
    assert holds[0].reason.startswith(f"{y} DLTs in {n} evaluable")
    # smallest number of DLTs for which P(rate > 0.25) > 0.95, prior Beta(1, 1); it grows with the patients
    smallest = {3: 3, 4: 3, 5: 3, 6: 4, 9: 5, 12: 6, 15: 7, 20: 9}
    assert y >= smallest[max(patients for patients in smallest if patients <= n)]
    assert all(p.enrolled_at <= holds[0].at for p in desk.state.patients.values())


def test_infusions_of_a_cohort_keep_the_stagger(balli: StudyFolder, first: MemoryDesk) -> None:
    stagger = balli.study.stagger
    for cohort in first.state.cohorts:
        if cohort.part != "escalation":
            continue
        moments = sorted(
            p.infused_at for p in first.state.patients.values() if p.cohort == cohort.cohort and p.infused_at
        )
        gaps = [(after - before).days for before, after in pairwise(moments)]
        assert all(
            gap >= (stagger.after_first_days if place == 0 else stagger.after_next_days)
            for place, gap in enumerate(gaps)
        )


def test_an_unknown_scenario_is_an_error(balli: StudyFolder) -> None:
    with pytest.raises(ValueError, match="all-toxic"):
        run(balli, 1, "no-such-thing")


def test_data_are_confirmed_verified_settled_and_locked_at_the_end(first: MemoryDesk) -> None:
    state, folder = first.state, first.folder
    assert set(state.capture.locked) == set(state.patients)
    assert len(state.capture.queries) > 0
    assert open_queries(state) == ()
    for patient in state.patients:
        assert unconfirmed(state, folder, patient) == ()
        assert unverified(state, patient, folder.conduct.capture.lock.verified_forms) == ()
        digest = content_hash(casebook_content(state, patient))
        assert state.capture.locked[patient].content_hash == digest
        assert valid_signatures(state, f"casebook:{patient}", digest, "responsibility")


def test_the_yearly_safety_report_is_cut_and_sent_each_year(balli: StudyFolder, first: MemoryDesk) -> None:
    closed = first.state.at
    assert closed is not None
    periods = calendar(balli, first.state.safety, closed.date())
    assert [one.status(closed.date()) for one in periods] == ["sent"] * (len(periods) - 1) + ["runs"]
    assert all(one.planned and not any(clock.late(closed) for clock in one.clocks) for one in periods)
    assert len(periods) > 2


def test_reports_are_sent_in_time_read_by_all_and_written_again_byte_for_byte(
    balli: StudyFolder, first: MemoryDesk
) -> None:
    safety = first.state.safety
    assert safety.reports
    assert not safety.open_clocks()
    assert not any(clock.late(clock.started_at) for clock in safety.clocks)
    last = {report.clock: report for report in safety.reports}
    assert all(report.accepted for report in last.values())
    first_sent = {report.clock: report for report in reversed(safety.reports)}
    assert all(report.recipients and not report.unread for report in first_sent.values())
    assert not any(case.to_assess for case in safety.cases)
    for report in safety.reports[:3]:
        assert reproduce_report(first.facts, report.number, balli).same


def test_laboratory_results_come_in_by_files_and_every_answer_as_agreed(
    balli: StudyFolder, first: MemoryDesk
) -> None:
    rows = list(answer_sources(first.state, balli))
    assert {row.came for row in rows if row.form == "LB"} == {"import"}
    assert {row.came for row in rows if row.form != "LB"} == {"form"}
    assert all(row.agrees for row in rows)
    panels = [record for patient in first.state.patients.values() for record in patient.forms("LB")]
    assert len(panels) == len(first.state.capture.imports) > 100
    assert all(one.applied_at is not None for one in first.state.capture.imports)


def test_a_rejected_report_is_sent_again_in_time_and_answers_come_as_files(first: MemoryDesk) -> None:
    safety = first.state.safety
    (rejected,) = [report for report in safety.reports if report.accepted is False]
    _, again = [report for report in safety.reports if report.clock == rejected.clock]
    clock = safety.clocks[rejected.clock - 1]
    assert rejected.at < again.at < clock.due_at
    assert clock.late_reason is None
    assert again.content_hash != rejected.content_hash
    answers = [fact.event for fact in first.facts if isinstance(fact.event, ReportAcknowledged)]
    by_file = {event.report for event in answers if event.content_hash and event.answered_at}
    assert by_file == {report.number for report in safety.reports if report.case}


def test_casebooks_are_signed_in_batches_of_what_was_displayed_before(first: MemoryDesk) -> None:
    shown: dict[str, set[tuple[str, str]]] = {}
    batch, longest = [""], 0
    for fact in first.facts:
        event = fact.event
        signer = event.signer if isinstance(event, SignatureGiven) else ""
        batch = [*batch, signer] if batch[-1] == signer else [signer]
        if isinstance(event, ObjectDisplayed):
            shown.setdefault(event.person, set()).add((event.object_ref, event.content_hash))
        elif isinstance(event, SignatureGiven) and event.object_ref.startswith("casebook:"):
            assert (event.object_ref, event.content_hash) in shown[event.signer]
            longest = max(longest, len(batch))
    assert longest > 3, "signed one after the other, no other act between"


def test_reviews_are_signed_when_due_and_leave_nothing_out(balli: StudyFolder, first: MemoryDesk) -> None:
    rules, oversight = balli.conduct.oversight, first.state.oversight
    opened, closed = first.state.opened_at, first.state.closed_at
    assert opened is not None
    assert closed is not None
    rhythms = {
        rule.id: ([one.at for one in oversight.audit_reviews if one.definition == rule.id], rule.every_days)
        for rule in rules.audit_reviews
    }
    rhythms["access"] = ([one.at for one in oversight.access_reviews], rules.access_review_days)
    for done, days in rhythms.values():
        gaps = {after - before for before, after in pairwise([opened, *done[:-1]])}
        assert gaps == {timedelta(days=days)}
        assert done[-1] == closed
    for rule in rules.audit_reviews:
        mine = [one for one in oversight.audit_reviews if one.definition == rule.id]
        assert mine[0].from_seq == 1
        assert all(after.from_seq == before.to_seq + 1 for before, after in pairwise(mine))
        assert mine[-1].to_seq > first.state.seq - 20
    same_moment = {(one.at, one.to_seq) for one in oversight.audit_reviews}
    assert len(same_moment) == len({at for at, _ in same_moment})
    by_role = {one.definition: one.by for one in oversight.audit_reviews}
    assert by_role == {
        "critical-changes": "data-manager",
        "late-entries": "data-manager",
        "rights": "physician",
    }


def test_the_rows_a_review_signs_are_made_again_from_written_facts(
    balli: StudyFolder, first: MemoryDesk
) -> None:
    reviews = first.state.oversight.audit_reviews
    near = [one for one in reviews if "near a data cut-off" in one.findings]
    assert near
    for review in [*near, next(one for one in reviews if one.definition == "late-entries" and one.rows)]:
        known = [fact for fact in first.facts if fact.seq < review.seq]
        cuts = [fact.at for fact in known if isinstance(fact.event, CutTaken)]
        trail = Trail(balli.conduct.oversight, occurred_items(balli), cuts)
        rows: list[Row] = []
        for fact in known[: review.to_seq]:
            line = Line(fact.seq, fact.at, fact.actor_id, fact.actor_role, decode(*encode(fact.event)))
            rows += trail.rows(line)
        selection = selection_of(review)
        taken = [row for row in rows if row.seq >= review.from_seq and selects(selection, row)]
        assert pin(taken) == (review.rows, review.trail_hash)


def test_an_emergency_right_is_used_and_reviewed_and_a_lock_out_told(first: MemoryDesk) -> None:
    state = first.state
    (emergency,) = state.oversight.emergencies
    assert emergency.reviewed_at is not None
    assert emergency.until < emergency.reviewed_at < emergency.review_due
    assert emergency.reviewed_by != emergency.person
    used = [
        fact for fact in first.facts if (fact.actor_id, fact.actor_role) == (emergency.person, emergency.role)
    ]
    assert {type(fact.event) for fact in used} >= {CaseAssessed}
    assert all(emergency.opened_at <= fact.at < emergency.until for fact in used)
    kinds = [fact.event.kind for fact in first.facts if isinstance(fact.event, SecurityEventRecorded)]
    assert kinds == ["login_failed"] * 5 + ["lockout", "unlocked", "login"]
    assert any("locked" in notice.subject for notice in state.oversight.notices)
    assert waiting(state) == ()
