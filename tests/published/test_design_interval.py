"""BOIN, Keyboard, mTPI-2 and i3+3 against published tables and packages.

Sources: BOIN 2.7.2 `get.boundary`, `select.mtd` (150 random trials), `get.oc` (state-collapsed exact
values, within Monte Carlo error of the package); precautionary 0.2.6, number of paths; Keyboard 0.1.3
`get.boundary.kb`; mTPI-2 escalation 0.2.3 after Guo 2017 Fig. 3; i3+3 agrees with mTPI-2 and Keyboard at
multiples of 3 for target 0.30.
"""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from escalon.design import EscalationPlan, decision_table, enumerate_plan, select_mtd

HERE = Path(__file__).parent


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open() as file:
        return list(csv.DictReader(file))


def plan(rule, levels=5, total=36, **more) -> EscalationPlan:
    return EscalationPlan.model_validate(
        {"rule": rule, "levels": levels, "cohort_size": 3, "max_patients": total, **more}
    )


def number(text: str) -> int | None:
    return None if text in ("NA", "") else int(text)


@pytest.mark.parametrize("target", [0.2, 0.25, 0.3])
def test_boin_boundaries(target):
    rule = plan({"kind": "boin", "target": target, "extra_safe": True}).rule
    found = decision_table(plan({"kind": "boin", "target": target})).boundaries()
    strict = rule.table(36).stop_lowest
    published = [row for row in rows("design_boin_boundaries.csv") if float(row["target"]) == target]
    assert len(published) == 36
    for row in published:
        n = int(row["n"])
        assert rule.lambda_e == pytest.approx(float(row["lambda_e"]), abs=1e-14)
        assert rule.lambda_d == pytest.approx(float(row["lambda_d"]), abs=1e-14)
        assert found[n - 1] == {
            "n": n,
            "escalate_le": number(row["escalate_le"]),
            "deescalate_ge": number(row["deescalate_ge"]),
            "eliminate_ge": number(row["eliminate_ge"]),
        }
        stops = np.flatnonzero(strict[n, : n + 1])
        assert (int(stops[0]) if stops.size else None) == number(row["extrasafe_stop_ge"])


@pytest.mark.parametrize("target", [0.2, 0.3])
def test_keyboard_boundaries(target):
    found = decision_table(plan({"kind": "keyboard", "target": target})).boundaries()
    published = [row for row in rows("design_keyboard_boundaries.csv") if float(row["target"]) == target]
    names = ("n", "escalate_le", "deescalate_ge", "eliminate_ge")
    assert found == [{name: number(row[name]) for name in names} for row in published]


def test_mtpi2_table():
    published = json.loads((HERE / "design_rules.json").read_text())["mtpi2_0.30_0.05_0.95"]
    found = decision_table(plan({"kind": "mtpi2", "target": 0.3}), 18).decisions
    assert found == {int(n): tuple(row) for n, row in published.items()}


def test_i3_plus_3_moves_as_mtpi2_and_keyboard_at_multiples_of_three():
    tables = [
        decision_table(plan({"kind": kind, "target": 0.3})).decisions
        for kind in ("i3_plus_3", "mtpi2", "keyboard")
    ]
    for n in range(3, 37, 3):
        moves = [[letter[0] for letter in table[n]] for table in tables]
        assert moves[0] == moves[1] == moves[2]


def test_boin_selects_as_the_package():
    cases = rows("design_boin_select_mtd.csv")
    assert len(cases) == 150
    for case in cases:
        n, y = ([int(part) for part in case[name].split()] for name in ("n", "y"))
        rule = {
            "kind": "boin",
            "target": float(case["target"]),
            "extra_safe": case["extrasafe"] == "TRUE",
            "bound_mtd": case["boundMTD"] == "TRUE",
        }
        mtd = select_mtd(plan(rule, len(n), sum(n)), n, y)
        assert (99 if mtd is None else mtd) == int(case["mtd"]), case


@pytest.mark.parametrize("case", json.loads((HERE / "design_boin_exact_oc.json").read_text()))
def test_boin_exact_characteristics(case):
    stop = [{"kind": "enough_at_dose", "n": case["n_earlystop"]}] if case["n_earlystop"] < 100 else []
    design = plan(
        {"kind": "boin", "target": case["target"]},
        len(case["p_true"]),
        case["ncohort"] * case["cohortsize"],
        guards=stop,
        start_level=case["startdose"],
    )
    ends = enumerate_plan(design)
    oc = ends.oc(case["p_true"])
    assert (ends.terminal_states, ends.paths_total) == (case["terminal_states"], case["paths"])
    # the file prints 8 decimals
    select = 100 * np.array([oc.prob_none, *oc.prob_select])
    np.testing.assert_allclose(select, case["sel_pct_0_to_K"], rtol=0, atol=5.01e-9)
    np.testing.assert_allclose(oc.mean_n, case["npatients"], rtol=0, atol=5.01e-9)
    np.testing.assert_allclose(oc.mean_dlt, case["ntox"], rtol=0, atol=5.01e-9)
    assert oc.mean_total_n == pytest.approx(case["totaln"], abs=5.01e-9)
    assert 100 * oc.prob_overdose_60 == pytest.approx(case["overdose60"], abs=5.01e-9)
    assert 100 * oc.prob_overdose_80 == pytest.approx(case["overdose80"], abs=5.01e-9)


@pytest.mark.parametrize(("levels", "paths"), [(3, 949), (4, 7139)])
@pytest.mark.parametrize("compiled", [True, False])
def test_path_counts_of_precautionary(levels, paths, compiled):
    """Class Boin of precautionary 0.2.6 with target 0.25, single patients, at most 6 per level, 24 in all.

    Its escalation ends as soon as the recommended level holds 6 patients, and at de-escalation from level 1.
    """
    guards = [{"kind": "enough_at_dose", "n": 6, "when": "recommended"}, {"kind": "stop_below_lowest"}]
    design = plan({"kind": "boin", "target": 0.25}, levels, 24, guards=guards).model_copy(
        update={"cohort_size": 1}
    )
    assert enumerate_plan(design, compiled=compiled).paths_total == paths
