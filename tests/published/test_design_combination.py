"""Two-agent designs against worked examples."""

import numpy as np
import pytest

from escalon.design import EscalationPlan, select_mtd


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
