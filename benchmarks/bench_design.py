"""Dose finding: exact characteristics, one posterior, simulation; all warm, against the limits of the roadmap.

Times of peers are published or given for a machine of this kind (2 cores); simulated trials have a Monte Carlo error,
exact characteristics have none.
"""

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.figure import Figure, best_of
from escalon.design import EscalationPlan, enumerate_plan, simulate_oc
from escalon.design.answers import simon_answer
from escalon.design.expansion import ExpansionPlan, MonitoringRule, joint_oc
from escalon.design.rules import base, tables
from escalon.design.table_engine import table_walk

SIX = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5]
RESPONSE = [0.1, 0.2, 0.3, 0.4, 0.45, 0.5]
SKELETON = [0.05, 0.11, 0.2, 0.3, 0.41, 0.52]


def plan(rule: dict[str, object], levels: int = 6, total: int = 30, **more: object) -> EscalationPlan:
    return EscalationPlan.model_validate(
        {"rule": rule, "levels": levels, "cohort_size": 3, "max_patients": total, **more}
    )


def from_plan_to_characteristics(kind: str, levels: int, total: int) -> None:
    for remembered in (base._binomial_tails, tables._table, tables._selection, table_walk):
        remembered.cache_clear()
    ends = enumerate_plan(plan({"kind": kind, "target": 0.3}, levels, total))
    ends.oc([0.05 + 0.45 * j / (levels - 1) for j in range(levels)])


def figures() -> Iterator[Figure]:
    yield from exact_tables()
    yield from exact_models()
    yield from simulated()
    yield from started()


def exact_tables() -> Iterator[Figure]:
    for kind in ("boin", "mtpi"):
        seconds = best_of(lambda kind=kind: from_plan_to_characteristics(kind, 6, 30), 20)
        peers = (("simFastBOIN, 10,000 trials", 180.0), ("BOIN, 10,000 trials", 8_000.0))
        yield Figure(
            f"exact {kind}, 6 levels, 30 patients", 1e3 * seconds, 3, "ms", peers if kind == "boin" else ()
        )
    ends = enumerate_plan(plan({"kind": "boin", "target": 0.3}))
    yield Figure("one further scenario", 1e3 * best_of(lambda: ends.oc(SIX), 50), 0.2, "ms")
    yield Figure(
        "exact boin, 7 levels, 48 patients",
        best_of(lambda: from_plan_to_characteristics("boin", 7, 48), 2),
        1,
        "s",
    )
    expansion = ExpansionPlan(
        patients=20,
        toxicity=MonitoringRule("DLT", "toxicity", limit=0.25, certainty=0.95),
        success=MonitoringRule("response", "efficacy", limit=0.2, certainty=0.9),
    )
    seconds = best_of(lambda: joint_oc(ends, expansion, SIX, RESPONSE))
    yield Figure("escalation and expansion of 20 jointly, exact", seconds, 2, "s")
    yield Figure("Simon designs .2 against .4", best_of(lambda: simon_answer(0.2, 0.4, 0.05, 0.2), 3), 1, "s")


def exact_models() -> Iterator[Figure]:
    guards = [{"kind": "no_skipping"}, {"kind": "coherent"}]
    crm = plan({"kind": "crm", "target": 0.3, "skeleton": SKELETON}, guards=guards)
    seconds = best_of(lambda: enumerate_plan(crm).oc(SIX))
    yield Figure(
        "exact crm, 6 levels, 30 patients", 1e3 * seconds, 60, "ms", (("dfcrm, 10,000 trials", 87_000.0),)
    )
    yield Figure(
        "one crm posterior", 1e3 * best_of(lambda: crm.fit([1, 2, 3, 3], [0, 0, 0, 1]), 200), 0.05, "ms"
    )
    blrm = plan(
        {"kind": "blrm", "doses": [10, 20, 40, 60, 90, 120], "ref_dose": 60, "prior_mean": [-0.85, 0]},
        guards=guards,
    )
    seconds = best_of(lambda: enumerate_plan(blrm).oc(SIX), 2)
    yield Figure(
        "exact blrm with ewoc, 6 levels, 30 patients", seconds, 2, "s", (("crmPack, ten trials", 14.0),)
    )


def simulated() -> Iterator[Figure]:
    boin = plan({"kind": "boin", "target": 0.3})
    seconds = best_of(lambda: simulate_oc(boin, SIX, trials=1_000_000, workers=2), 2)
    yield Figure(
        "1,000,000 simulated boin trials",
        seconds,
        2,
        "s",
        (("simFastBOIN, scaled", 18.0), ("BOIN, scaled", 800.0)),
    )
    tite = EscalationPlan.model_validate(
        {
            "rule": {"kind": "tite_crm", "target": 0.3, "skeleton": SKELETON},
            "levels": 6,
            "cohort_size": 1,
            "max_patients": 30,
            "guards": [{"kind": "no_skipping"}],
        }
    )
    seconds = best_of(lambda: simulate_oc(tite, SIX, trials=10_000, workers=2), 1)
    yield Figure("10,000 simulated tite-crm trials", seconds, 10, "s")


def started() -> Iterator[Figure]:
    """A fresh process, from its start to the first exact answer; compiled code is cached by the runs above."""
    code = (
        "from escalon.design import EscalationPlan, exact_oc; exact_oc(EscalationPlan.model_validate("
        "{'rule': {'kind': 'boin', 'target': 0.3}, 'levels': 6, 'max_patients': 30}), [.05, .1, .2, .3, .4, .5])"
    )
    command = [sys.executable, "-c", code]
    seconds = best_of(lambda: subprocess.run(command, check=True), 3)
    yield Figure("first exact answer of a fresh process", seconds, 2, "s")
