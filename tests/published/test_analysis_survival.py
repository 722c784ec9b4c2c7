"""R survival 3.5-3 on its own data sets, and the documented SAS rule; sources in data/README-analysis.md.

Tolerance: half a unit of the last digit the source prints, or 1e-9 where it prints ten digits or more.
"""

import numpy as np
import pytest

from escalon.analysis.survival import fit_cox, follow_up, kaplan_meier, log_rank, restricted_mean
from tests.published.analysis_data import AML, lung, parse_times


def ends(estimate):
    return estimate.value, estimate.low, estimate.high


@pytest.mark.parametrize(
    ("conf_type", "expected"),
    [
        ("plain", (310, 284, 361)),
        ("log", (310, 285, 363)),
        ("log-log", (310, 284, 361)),
        ("logit", (310, 284, 361)),
        ("arcsin", (310, 284, 361)),
    ],
)
@pytest.mark.parametrize("rule", ["r", "sas"])
def test_lung_median_under_each_interval(conf_type, expected, rule):
    time, event, _ = lung()
    km = kaplan_meier(time, event, conf_type=conf_type, quantile_rule=rule)
    assert (km.n, km.n_events) == (228, 165)
    assert ends(km.median) == expected


@pytest.mark.parametrize(
    ("conf_type", "low", "high"),
    [
        ("log-log", (0.65830453, 0.33871427), (0.77531469, 0.47838077)),
        ("plain", (0.66323938, 0.33902858), (0.78010192, 0.47945467)),
        ("log", (0.66554231, 0.34472158), (0.78253257, 0.48583760)),
    ],
)
def test_lung_landmarks(conf_type, low, high):
    time, event, _ = lung()
    at = kaplan_meier(time, event, conf_type=conf_type).at([180, 365])
    assert at.survival == pytest.approx([0.72167065, 0.40924162], abs=5e-9)
    assert at.std_err == pytest.approx([0.029812419, 0.035823638], abs=5e-10)
    assert at.low == pytest.approx(low, abs=5e-9)
    assert at.high == pytest.approx(high, abs=5e-9)
    assert at.reason == (None, None)


@pytest.mark.parametrize(
    ("q", "conf_type", "expected"),
    [
        (0.25, "log", (170, 145, 197)),
        (0.25, "log-log", (170, 144, 194)),
        (0.75, "log", (550, 460, 654)),
        (0.75, "log-log", (550, 457, 643)),
    ],
)
def test_lung_quartiles(q, conf_type, expected):
    time, event, _ = lung()
    assert ends(kaplan_meier(time, event, conf_type=conf_type).quantile(q)) == expected


def test_lung_by_sex():
    time, event, sex = lung()
    for s, n, d, median in ((1, 138, 112, (270, 210, 306)), (2, 90, 53, (426, 345, 524))):
        km = kaplan_meier(time[sex == s], event[sex == s])
        assert (km.n, km.n_events) == (n, d)
        assert ends(km.median) == median


def test_lung_log_rank_and_g_rho():
    time, event, sex = lung()
    test = log_rank(time, event, sex)
    assert test.chi2 == pytest.approx(10.3267419549, abs=5e-11)
    assert test.p_value == pytest.approx(0.0013111645, abs=5e-11)
    assert (test.groups, test.n, test.df) == ((1, 2), (138, 90), 1)
    assert log_rank(time, event, sex, rho=1).chi2 == pytest.approx(12.7141514012, abs=5e-11)


def test_lung_follow_up_as_r_users_flip_it():
    time, event, _ = lung()
    assert ends(follow_up(time, event, ties="flip").median) == (588, 511, 821)
    assert follow_up(time, event, conf_type="plain", ties="flip").median.high == 840


def test_aml():
    maintained = kaplan_meier(*parse_times(AML["Maintained"]))
    nonmaintained = kaplan_meier(*parse_times(AML["Nonmaintained"]))
    assert ends(maintained.median) == (31, 13, None)
    assert maintained.median.reason == "upper end: the bound does not fall below 0.5"
    assert ends(nonmaintained.median) == (23, 5, 33)
    at = maintained.at(9)
    assert at.survival == pytest.approx([10 / 11], abs=1e-15)
    assert (round(float(at.low[0]), 4), round(float(at.high[0]), 3)) == (0.5081, 0.987)
    (t1, e1), (t2, e2) = (parse_times(AML[k]) for k in AML)
    test = log_rank(t1 + t2, np.concatenate([e1, e2]), ["m"] * 11 + ["n"] * 12)
    assert test.chi2 == pytest.approx(3.39638869898, abs=5e-12)


def test_r_quantile_on_its_own_test_data():
    """R's quantile test: S falls to these levels at 1, the plateau to 6, 6, 9, and the end of follow-up."""
    time = [9, 1, 1, 6, 6, 8, 10]
    event = np.array([1, 1, 0, 1, 1, 0, 0]) == 1
    km = kaplan_meier(time, event, conf_type="log", quantile_rule="r")
    levels = [13 / 14, 6 / 7, 2 / 3, 1 / 2, 9 / 35, 1 / 10]
    found = [km.quantile(1 - s) for s in levels]
    assert [e.value for e in found] == [1, 3.5, 6, 9, 9.5, None]
    assert [e.low for e in found] == [1, 1, 1, 6, 6, 9]


@pytest.mark.parametrize(
    ("times", "r", "sas"),
    [("1 2 3 4", 2.5, 2.5), ("1 3 5+ 7", 5, 5), ("2 4 6+ 9+", 6.5, None)],
)
def test_median_on_a_plateau(times, r, sas):
    data = parse_times(times)
    assert kaplan_meier(*data, quantile_rule="r").median.value == r
    assert kaplan_meier(*data, quantile_rule="sas").median.value == sas


def test_reverse_curve_with_an_event_and_a_censoring_at_one_time():
    data = parse_times("1 1+ 2+ 3+")
    assert follow_up(*data).survival[0] == pytest.approx(2 / 3, abs=1e-15)
    assert follow_up(*data, ties="flip").survival[0] == pytest.approx(3 / 4, abs=1e-15)


def test_lung_restricted_mean():
    time, event, _ = lung()
    mean = restricted_mean(kaplan_meier(time, event), 365)
    assert mean.value == pytest.approx(263.221866, abs=5e-7)
    assert mean.std_err == pytest.approx(7.798859, abs=5e-7)


@pytest.mark.parametrize(
    ("ties", "coefficient"), [("efron", -0.5310235), ("breslow", -0.5303966), ("exact", -0.5317138)]
)
def test_lung_cox_by_sex(ties, coefficient):
    time, event, sex = lung()
    fit = fit_cox(time, event, sex, names=["sex"], ties=ties)
    assert fit.coef[0] == pytest.approx(coefficient, abs=5e-8)
    if ties == "efron":
        ratio = fit.hazard_ratio[0]
        assert fit.std_err[0] == pytest.approx(0.1671786, abs=5e-8)
        assert ratio.value == pytest.approx(0.5880028, abs=5e-8)
        assert (ratio.low, ratio.high) == pytest.approx((0.4237178, 0.8159848), abs=5e-8)
