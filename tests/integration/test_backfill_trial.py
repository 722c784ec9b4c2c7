"""A whole trial of a small study with backfill: places, packet, recommendation, replay, decision, closure."""

import json

import pytest

from escalon.conduct.committee.packet import build_packet
from escalon.conduct.encoding import encode
from escalon.conduct.events import BackfillSeedRecorded, DoseRecommended
from escalon.conduct.fold import fold
from escalon.conduct.outcomes import deciding_counts
from escalon.conduct.replay import replay_recommendation, replay_reviews
from escalon.protocol import StudyFolder, load_study
from tests.integration.test_virtual_trial import MemoryDesk, run
from tests.reference.backfill_places import BackfillOracle, BackfillRules
from tests.study_files import backfill_files

RESPONSE = "need_response: !assumption false"
PLANS = {
    "highest": ("cap: !assumption 5, order: !assumption highest", 1),
    "random": (f"cap: !assumption 5, order: !assumption random, {RESPONSE}", 2),
    "apart": (
        f"cap: !assumption 4, order: !assumption lowest, {RESPONSE}, counts_in_escalation: !assumption false",
        3,
    ),
}


def rules_of(folder: StudyFolder) -> BackfillRules:
    study, plan = folder.study, folder.study.escalation
    assert plan.backfill is not None
    processes = [(one.used_from, one.id) for product in study.products for one in product.processes]
    return BackfillRules(
        plan.rule.target_rate,
        plan.levels,
        plan.backfill.cap,
        plan.backfill.order,
        plan.backfill.need_response,
        plan.backfill.counts_in_escalation,
        set(study.response.numerator),
        [(one.used_from, one.id) for one in study.regimens],
        processes,
    )


@pytest.fixture(scope="module", params=list(PLANS))
def trial(request: pytest.FixtureRequest) -> MemoryDesk:
    text, seed = PLANS[request.param]
    return run(load_study(backfill_files(text)), seed)


def test_it_ends_with_backfill_patients_of_their_own_part(trial: MemoryDesk) -> None:
    state = trial.state
    assert state.closed_at is not None
    assert state.mtd is not None
    flagged = [one for one in state.patients.values() if one.part == "backfill"]
    assert flagged
    assert all(one.cohort == 0 for one in flagged)
    assert not {one.patient for one in flagged} & {name for c in state.cohorts for name in c.patients}
    assert (state.mtd.n, state.mtd.y) == deciding_counts(
        fold(fact for fact in trial.facts if fact.at <= state.mtd.at), trial.folder.study.escalation
    )


def test_the_oracle_finds_nothing(trial: MemoryDesk) -> None:
    oracle, places = BackfillOracle(rules_of(trial.folder)), 0
    for fact in trial.facts:
        kind, payload = encode(fact.event)
        plain = {**json.loads(payload), "seq": fact.seq, "at": fact.at, "kind": kind}
        assert oracle.read(plain) == []
        places += kind == "SlotReserved" and plain["cohort"] == 0
    assert places > 0


def test_every_recommendation_and_its_packet_are_replayed(trial: MemoryDesk) -> None:
    for recommendation in trial.state.recommendations:
        assert replay_recommendation(trial.facts, recommendation.number, trial.folder).same
        checks = replay_reviews(trial.facts, recommendation.number, trial.folder)
        assert all(check.same for check in checks)


def test_cut_and_packet_carry_the_flagged_patients(trial: MemoryDesk) -> None:
    last = next(f for f in reversed(trial.facts) if isinstance(f.event, DoseRecommended))
    assert isinstance(last.event, DoseRecommended)
    review = next(
        one
        for one in trial.state.committee.reviews
        if one.subject == "dose" and one.recommendation == last.event.recommendation
    )
    cut = trial.state.committee.cuts[review.cut - 1]
    packet = build_packet(fold(f for f in trial.facts if f.seq <= cut.seq), trial.folder, cut)
    flagged = [row["patient"] for row in packet["patients"] if row.get("backfill")]
    assert flagged == [p.patient for p in trial.state.patients.values() if p.part == "backfill"]
    assert packet["backfill"]["n"] == last.event.inputs["backfill"]["n"]
    counted = trial.folder.study.escalation.backfill.counts_in_escalation  # type: ignore[union-attr]
    assert packet["backfill"]["counts_in_escalation"] is counted
    own, added = last.event.inputs["escalation_n"], last.event.inputs["backfill"]["n"]
    assert last.event.inputs["n"] == ([a + b for a, b in zip(own, added, strict=True)] if counted else own)


def test_the_seed_of_the_lots_is_one_fact(trial: MemoryDesk) -> None:
    backfill = trial.folder.study.escalation.backfill
    seeds = [fact for fact in trial.facts if isinstance(fact.event, BackfillSeedRecorded)]
    assert len(seeds) == (backfill is not None and backfill.order == "random")
