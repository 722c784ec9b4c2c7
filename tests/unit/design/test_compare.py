from escalon.design import EscalationPlan, compare, exact_oc, simulate_oc


def plan(kind: str, **rule) -> EscalationPlan:
    return EscalationPlan.model_validate(
        {"rule": {"kind": kind, "target": 0.3, **rule}, "levels": 3, "cohort_size": 3, "max_patients": 12}
    )


def test_exact_where_possible_else_simulated():
    plans = {"boin": plan("boin"), "tite": plan("tite_boin")}
    scenarios = {"low": [0.05, 0.1, 0.3], "high": [0.3, 0.5, 0.6]}
    rows = compare(plans, scenarios, trials=200, seed=7)
    assert [(row.plan, row.scenario, row.characteristics.method) for row in rows] == [
        ("boin", "low", "exact"),
        ("boin", "high", "exact"),
        ("tite", "low", "simulate"),
        ("tite", "high", "simulate"),
    ]
    assert rows[1].characteristics.to_dict() == exact_oc(plans["boin"], scenarios["high"]).to_dict()
    assert rows[2].to_dict()["mean_n"] == simulate_oc(plans["tite"], scenarios["low"], 200, 7).mean_n.tolist()
