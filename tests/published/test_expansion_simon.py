"""Simon's two-stage designs against clinfun and published tables.

`expansion_simon_two_stage.csv`: clinfun 1.1.5 `ph2simon(pu, pa, alpha, beta, nmax=100)`, the optimal row of 60
settings. Uncapped: the same with nmax=140. Minimax 4/18, 10/33 for 0.20, 0.40, 0.05, 0.20: Simon 1989,
Table 1, doi 10.1016/0197-2456(89)90015-9.
"""

import csv
from pathlib import Path

import pytest

from escalon.design.expansion import find_simon_designs, simon_answer

with (Path(__file__).parent / "expansion_simon_two_stage.csv").open() as file:
    ROWS = list(csv.DictReader(file))
# p0, p1, r1, n1, r, n, EN(p0) as printed; alpha 0.05, beta 0.10
UNCAPPED = [
    (0.30, 0.45, 13, 40, 40, 110, 60.77),
    (0.35, 0.50, 16, 43, 44, 105, 62.67),
    (0.40, 0.55, 19, 45, 49, 104, 63.96),
    (0.45, 0.60, 19, 40, 60, 116, 63.98),
    (0.50, 0.65, 22, 42, 60, 105, 62.29),
]


def test_every_setting_is_there():
    assert len(ROWS) == 60
    assert {row["type"] for row in ROWS} == {"optimal"}


@pytest.mark.parametrize("row", ROWS, ids=lambda r: "-".join(r[k] for k in ("p0", "p1", "alpha", "beta")))
def test_optimal_within_100_patients(row):
    setting = [float(row[name]) for name in ("p0", "p1", "alpha", "beta")]
    designs = find_simon_designs(*setting, nmax=100)
    found = designs.optimal
    assert (found.r1, found.n1, found.r, found.n) == tuple(int(row[name]) for name in ("r1", "n1", "r", "n"))
    # printed with 15 significant digits
    assert found.en0 == pytest.approx(float(row["EN0"]), rel=2e-14)
    assert found.pet0 == pytest.approx(float(row["PET0"]), rel=1e-13)
    capped = any(setting == [case[0], case[1], 0.05, 0.10] for case in UNCAPPED)
    if designs.proven:
        assert not capped
    else:
        assert (find_simon_designs(*setting, nmax=None).optimal != found) == capped


@pytest.mark.parametrize("case", UNCAPPED)
def test_optimal_without_a_cap(case):
    p0, p1, r1, n1, r, n, en0 = case
    found = find_simon_designs(p0, p1, 0.05, 0.10, nmax=None).optimal
    assert (found.r1, found.n1, found.r, found.n) == (r1, n1, r, n)
    assert found.en0 == pytest.approx(en0, abs=0.005)  # printed with two decimals


def test_minimax_and_error_rates():
    answer = simon_answer(0.20, 0.40, 0.05, 0.20)
    assert {name: answer["minimax"][name] for name in ("r1", "n1", "r", "n")} == dict(r1=4, n1=18, r=10, n=33)
    assert answer["minimax"]["en0"] == pytest.approx(22.25, abs=0.005)
    assert answer["optimal"]["type1"] == pytest.approx(0.0496, abs=5e-5)
    assert answer["optimal"]["power"] == pytest.approx(0.8002, abs=5e-5)
