"""BOIN12 and EffTox against published and program values; sources in the data files."""

import csv
from pathlib import Path

import pytest

from escalon.design.rules import Boin12

HERE = Path(__file__).parent
# Lin et al. 2020 setting of phiT .35, phiE .25, utilities 100 40 60 0; R package escalation 0.2.3, boin12_rds
RDS = list(csv.DictReader((HERE / "design_obd_boin12_rds.csv").read_text().splitlines()))


def test_benchmark():
    rule = Boin12(tox_limit=0.35, eff_limit=0.25)
    assert rule.mean_utility(0.35, 0.25) == pytest.approx(41)
    assert rule.benchmark == pytest.approx(0.705)


def test_rank_based_desirability_score():
    found = {row[:3]: row[3] for row in Boin12(tox_limit=0.35, eff_limit=0.25).rds_table((0, 3, 6, 9))}
    assert len(RDS) == 83
    for row in RDS:
        key = (int(row["Patients"]), int(row["Toxicity"]), int(row["Efficacy"]))
        assert found[key] == (float(row["RDS"]) if row["Admissible"] == "Admissible" else None), key
