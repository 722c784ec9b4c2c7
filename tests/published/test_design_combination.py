"""Two-agent designs against worked examples."""

import json
from pathlib import Path

import numpy as np
import pytest

from escalon.design import EscalationPlan, select_mtd
from escalon.design.rules import BlrmCombination


def boin(rows, columns, target):
    return EscalationPlan.model_validate(
        {
            "rule": {"kind": "boin_combination", "target": target, "rows": rows, "columns": columns},
            "levels": rows * columns,
            "max_patients": 60,
        }
    )


def offered(plan, outcomes):
    """The combination recommended and the one tied with it."""
    answer = plan.recommend(outcomes)
    tie = [reason for reason in answer.reasons if "draws lots" in reason]
    other = [j + 1 for j in range(plan.levels) if tie and f"{plan.rule.name(j)}; the first" in tie[0]]
    return {answer.level, *other}


def test_tutorial_of_the_boin_package():
    """BOIN 2.6 tutorial, p. 17, 3 x 4 combinations, target .25: after 0/3 at (1, 1) and 1/3 at (1, 2)."""
    plan = boin(3, 4, 0.25)
    assert offered(plan, "1NNN") == {2, 5}  # (1, 2) is shown there; (2, 1) has the same score
    assert offered(plan, "1NNN 2NNT") == {1}


def test_example_of_next_comb():
    """R packages BOIN (help of next.comb) and escalation 0.2.3 (vignette A360): (2, 3), tied with (3, 2)."""
    n = [3, 0, 0, 0, 0, 7, 6, 0, 0, 0, 0, 0, 0, 0, 0]
    y = [0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    assert offered(boin(3, 5, 0.3), (n, y, 7)) == {8, 12}


def test_example_of_select_mtd_comb():
    """R package BOIN, help of select.mtd.comb: data of a 3 x 5 trial; Yan et al. 2020, doi 10.18637/jss.v094.i13."""
    n = [3, 5, 0, 0, 0, 7, 6, 15, 0, 0, 0, 0, 4, 0, 0]
    y = [0, 1, 0, 0, 0, 1, 1, 4, 0, 0, 0, 0, 2, 0, 0]
    assert select_mtd(boin(3, 5, 0.3), n, y) == 8  # (2, 3)


@pytest.mark.parametrize("target", [0.2, 0.25, 0.3])
def test_one_row_has_the_boundaries_of_boin(target):
    rule = boin(1, 4, target).rule
    single = EscalationPlan.model_validate(
        {"rule": {"kind": "boin", "target": target}, "levels": 4, "max_patients": 30}
    ).rule
    assert (rule.interval.lambda_e, rule.interval.lambda_d) == (single.lambda_e, single.lambda_d)
    for n in range(1, 31):
        y = np.arange(n + 1)
        closed = rule.closed(
            np.c_[np.full(n + 1, n), np.zeros((n + 1, 3), int)], np.c_[y, np.zeros((n + 1, 3), int)]
        )
        assert closed[:, 0].tolist() == [single.letter(n, int(k)) == "DU" for k in y]


# converged quadrature of published single-agent data sets, sources in design_models.json
MODELS = json.loads((Path(__file__).parent / "design_models.json").read_text())


def test_two_agents_with_an_inert_one_are_the_single_agent_blrm():
    """OncoBayes2 hist_SA: agent B without effect (odds 6e-6) and without interaction leaves agent A's model."""
    case, split = MODELS["blrm_oncobayes2"], MODELS["split"]["blrm_oncobayes2"]
    data = {1: (3, 0), 2.5: (4, 0), 5: (5, 0), 10: (4, 0), 25: (2, 2)}
    doses = case["doses"]
    rule = BlrmCombination(
        doses_a=doses, doses_b=(1.0,), ref_dose_a=50, ref_dose_b=1, prior_mean_a=(0, 0), prior_sd_a=(2, 1),
        prior_mean_b=(-12, 0), prior_sd_b=(0.05, 0.05), prior_interaction=(0, 1e-4),
    )  # fmt: skip
    counts = [np.array([data.get(dose, (0, 0))[i] for dose in doses]) for i in (0, 1)]
    found = rule.posterior(*counts)
    # the accuracy the rule states for wide priors; what is left of agent B adds 1e-5
    np.testing.assert_allclose(found.prob_tox, case["mean_p"], rtol=0, atol=1e-3)
    over = [found.above[1][doses.index(dose)] for dose in split["doses"]]
    np.testing.assert_allclose(over, split["prob"], rtol=0, atol=2e-3)
