from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalon.analysis.summary import format_count, format_number, format_percent, round_half_away, summarise


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (0.5, 0, "1"),
        (-0.5, 0, "-1"),
        (2.5, 0, "3"),
        (0.15, 1, "0.2"),
        (1.005, 2, "1.01"),
        (524288.1255, 3, "524288.126"),
        (0.0, 2, "0.00"),
        (-0.004, 2, "0.00"),
        (1e21, 0, "1000000000000000000000"),
        (1234.5, -2, "1200"),
        (None, 1, "NE"),
        (float("nan"), 1, "NE"),
    ],
)
def test_rounding_is_half_away_from_zero(value, decimals, expected):
    assert format_number(value, decimals) == expected


def test_infinity_is_not_rounded():
    with pytest.raises(ValueError, match="inf"):
        round_half_away(float("inf"))


@given(st.integers(-(10**9), 10**9), st.integers(0, 4))
def test_decimal_ties_go_away_from_zero(whole, decimals):
    tie = Decimal(whole).scaleb(-decimals) + Decimal(5).scaleb(-decimals - 1).copy_sign(whole)
    value = float(tie)
    if Decimal(repr(value)) == tie:
        assert abs(round_half_away(value, decimals)) == abs(Decimal(whole).scaleb(-decimals)) + Decimal(
            1
        ).scaleb(-decimals)


def test_percent_comes_from_counts():
    assert format_percent(1, 8, 1) == "12.5"
    assert format_percent(57, 200, 0) == "29"  # 100 * (57 / 200) is 28.499999999999996
    assert format_percent(0, 0) == "NE"
    assert (format_count(0, 9), format_count(3, 9)) == ("0", "3 (33.3)")


def test_summary_by_hand():
    s = summarise([2.0, 4.0, None, 8.0, float("nan"), 16.0])
    assert (s.n, s.n_missing, s.mean, s.median, s.minimum, s.maximum) == (4, 2, 7.5, 6.0, 2.0, 16.0)
    assert s.sd == pytest.approx((((5.5**2) + 3.5**2 + 0.5**2 + 8.5**2) / 3) ** 0.5, rel=1e-15)
    assert s.cv == pytest.approx(100 * s.sd / 7.5)
    assert (s.q1, s.q3) == (3.0, 12.0)
    assert s.geo_mean == pytest.approx(2**2.5, rel=1e-14)
    assert s.geo_sd == pytest.approx(2 ** (5 / 3) ** 0.5, rel=1e-14)
    assert s.geo_cv == pytest.approx(100 * (np.exp(np.log(2) ** 2 * 5 / 3) - 1) ** 0.5, rel=1e-14)
    assert s.reasons == {}


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_quartiles_are_sas_definition_five(values):
    s = summarise(values)
    for p, found in ((0.25, s.q1), (0.5, s.median), (0.75, s.q3)):
        assert found == pytest.approx(
            np.quantile(values, p, method="averaged_inverted_cdf"), rel=1e-12, abs=1e-9
        )


def test_what_does_not_exist_has_a_reason():
    assert summarise([]).reasons == {"all": "no values"}
    one = summarise([3.0])
    assert (one.sd, one.geo_mean) == (None, pytest.approx(3.0))
    assert one.reasons["sd"] == one.reasons["geo_cv"] == "fewer than two values"
    assert summarise([0.0, 1.0]).reasons["geo_mean"] == "a value is not positive"
    assert summarise([-1.0, 1.0]).reasons["cv"] == "the mean is not positive"
    with pytest.raises(ValueError, match="infinite"):
        summarise([float("inf")])
