"""What the commands of dose finding print: every number of the answer that a reader of the terminal needs."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from escalon.cli import app
from escalon.design import EscalationPlan
from escalon.design.answers import next_answer, oc_answer
from escalon.report.terminal_design import print_next, print_oc

EFFTOX = {
    "kind": "efftox",
    "doses": [1, 2, 4],
    "eff_limit": 0.4,
    "tox_limit": 0.35,
    "contour_eff": 0.4,
    "contour_tox": 0.7,
    "contour_point": [0.7, 0.3],
    "prior_tox_intercept": [-2.0, 1.5],
    "prior_tox_slope": [1.0, 1.0],
    "prior_eff_intercept": [0.0, 1.5],
    "prior_eff_slope": [1.0, 1.0],
}
BOIN12 = {"kind": "boin12", "tox_limit": 0.35, "eff_limit": 0.25}
BOIN = {"kind": "boin", "target": 0.25}


def plan(rule: dict, levels: int = 3, **more: object) -> EscalationPlan:
    return EscalationPlan.model_validate({"rule": rule, "levels": levels, "max_patients": 9, **more})


@pytest.mark.parametrize("rule", [BOIN12, EFFTOX])
def test_next_prints_efficacy_with_its_interval(rule, capsys):
    answer = next_answer(plan(rule), "1NEN 2EBN")
    print_next(answer)
    printed = capsys.readouterr().out
    assert "…" not in printed
    for row in answer["efficacy"]:
        assert 0 <= row["eff_lower"] < row["prob_eff"] < row["eff_upper"] <= 1
        assert f"{row['prob_eff']:.3f}" in printed
        assert f"{row['eff_lower']:.3f}-{row['eff_upper']:.3f}" in printed
        assert f"{row['score']:.3f}" in printed


def test_next_prints_the_levels_open_for_backfill_and_those_open_to_the_escalation(capsys):
    answer = next_answer(plan(BOIN, backfill={"cap": 6}), "1NEN 2NNN")
    print_next(answer)
    printed = capsys.readouterr().out
    assert "Open for backfill: 1" in printed
    assert [line.split()[-1] for line in printed.splitlines() if line.strip()[:2] in ("1 ", "2 ", "3 ")] == [
        "yes",
        "yes",
        "next",
    ]


def test_next_prints_the_model_s_estimate_of_untried_levels(capsys):
    crm = {"kind": "crm", "target": 0.25, "skeleton": [0.1, 0.2, 0.3]}
    answer = next_answer(plan(crm), "1NNN")
    print_next(answer)
    row = answer["estimates"][2]
    assert row["n"] == 0
    shown = f"{row['estimate']:.3f} {row['lower']:.3f}-{row['upper']:.3f}"
    assert shown in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("rule", "more"),
    [(BOIN12, {}), (BOIN, {"backfill": {"cap": 6}}), ({"kind": "tite_boin", "target": 0.3}, {})],
)
def test_simulated_numbers_carry_their_error(rule, more, capsys):
    answer = oc_answer(plan(rule, **more), [0.1, 0.2, 0.3], "simulate", 200, 1, [0.2, 0.3, 0.4])
    print_oc(answer)
    printed = capsys.readouterr().out
    assert "…" not in printed
    error = answer["standard_error"]
    for j in range(3):
        assert f"{100 * answer['prob_select'][j]:.2f}±{100 * error['prob_select'][j]:.2f}" in printed
        for name in {"mean_n", "mean_dlt", "mean_backfill", "mean_responses"} & set(answer):
            assert f"{answer[name][j]:.2f}±{error[name][j]:.2f}" in printed
    assert "200 simulated trials" in printed


def test_exact_numbers_have_none(capsys):
    print_oc(oc_answer(plan(BOIN), [0.1, 0.2, 0.3]))
    printed = capsys.readouterr().out
    assert "±" not in printed
    assert "Exact" in printed


def test_next_takes_pending_patients(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(
        "rule: {kind: tite_crm, target: 0.25, skeleton: [.1, .2, .3]}\nlevels: 3\nmax_patients: 9\n"
    )
    shown = CliRunner().invoke(
        app, ["next", "--plan", str(path), "--outcomes", "1NNN", "--pending", "2:.5,2:.2"]
    )
    assert shown.exit_code == 0
    assert "2 pending patients weighted by follow-up" in " ".join(shown.stdout.split())
    for wrong, words in (
        ("2", "write 3:.5"),
        ("2:x", "'x' is not a number"),
        ("4:.5", "level 4"),
        ("2:1.5", "1.5"),
    ):
        refused = CliRunner().invoke(
            app, ["next", "--plan", str(path), "--outcomes", "1NNN", "--pending", wrong]
        )
        assert refused.exit_code == 2
        assert words in refused.stderr
