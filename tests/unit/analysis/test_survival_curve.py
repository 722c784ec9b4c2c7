import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalon.analysis.survival import CONF_TYPES, follow_up, kaplan_meier, log_rank

rows = st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=25)


def split(data):
    return [float(t) for t, _ in data], np.array([e for _, e in data], dtype=bool)


@given(rows, st.randoms(use_true_random=False), st.sampled_from(CONF_TYPES))
def test_order_of_rows_does_not_matter(data, random, conf_type):
    shuffled = list(data)
    random.shuffle(shuffled)
    one, other = (kaplan_meier(*split(d), conf_type=conf_type) for d in (data, shuffled))
    assert np.array_equal(one.survival, other.survival)
    assert np.array_equal(one.low, other.low, equal_nan=True)
    assert one.median == other.median


@given(rows, st.sampled_from([0.25, 2.0, 1024.0]), st.sampled_from(["r", "sas"]))
def test_quantiles_scale_with_the_unit_of_time(data, scale, rule):
    time, event = split(data)
    one = kaplan_meier(time, event, quantile_rule=rule).median
    other = kaplan_meier([t * scale for t in time], event, quantile_rule=rule).median
    for a, b in ((one.value, other.value), (one.low, other.low), (one.high, other.high)):
        assert (a is None) == (b is None)
        assert a is None or b == pytest.approx(a * scale, rel=1e-12)


@given(rows, st.sampled_from(CONF_TYPES))
def test_bounds_enclose_a_falling_curve(data, conf_type):
    km = kaplan_meier(*split(data), conf_type=conf_type)
    assert np.all(np.diff(km.survival) <= 0)
    known = ~np.isnan(km.low)
    assert np.all(km.low[known] <= km.survival[known])
    assert np.all(km.survival[known] <= km.high[known])
    assert np.array_equal(known, (km.survival > 0) & (km.survival < 1))
    assert np.all(km.n_risk - km.n_event - km.n_censor == np.append(km.n_risk[1:], 0))


@given(st.lists(st.integers(0, 30), min_size=1, max_size=20))
def test_without_censoring_the_curve_is_the_share_still_free(times):
    km = kaplan_meier(times, [True] * len(times))
    share = [sum(x > t for x in times) / len(times) for t in km.time]
    assert km.survival == pytest.approx(share, abs=1e-12)


@given(rows)
def test_reverse_curve_times_curve_is_the_share_at_risk(data):
    """With events leaving first, S(t) G(t) = share of patients followed beyond t.

    True only of the tie-correct rule.
    """
    time, event = split(data)
    s, g = kaplan_meier(time, event), follow_up(time, event)
    beyond = [sum(x > t for x in time) / len(time) for t in s.time]
    assert s.survival * g.survival == pytest.approx(beyond, abs=1e-12)


def test_all_censored():
    km = kaplan_meier([1, 2, 3], [False, False, False])
    assert km.median.value is None
    assert km.median.reason == "the curve does not fall below 0.5 by the last follow-up at 3"
    at = km.at([2, 3, 3.5])
    assert at.survival[:2].tolist() == [1, 1]
    assert np.isnan(at.survival[2])
    assert at.reason == ("no event yet: no Greenwood interval",) * 2 + ("no patient followed as far",)
    assert at.n_at_risk.tolist() == [2, 1, 0]


def test_one_patient_and_none():
    one = kaplan_meier([5], [True])
    assert (one.median.value, one.median.low, one.median.high) == (5, None, None)
    assert one.at(5).reason == ("the curve is 0: no Greenwood interval",)
    none = kaplan_meier([], [])
    assert (none.n, none.median.reason) == (0, "no patients")
    assert none.at(0).reason == ("no patient followed as far",)


def test_landmark_at_an_event_counts_it_and_numbers_at_risk_do_not():
    km = kaplan_meier([2, 4, 4, 6], [True, True, False, True])
    assert km.at([1.9, 2, 4]).survival == pytest.approx([1, 0.75, 0.5])
    assert km.n_at_risk([0, 2, 4, 4.1, 7]).tolist() == [4, 4, 3, 1, 0]
    assert [e.value for e in km.at([2]).estimates()] == [0.75]


@pytest.mark.parametrize("n", [10, 24, 38])
def test_plateau_is_found_in_spite_of_binary_fractions(n):
    """Half the patients have the event; for 24 and 38 the product of fractions comes out one bit above 0.5."""
    half = n // 2
    km = kaplan_meier(range(1, n + 1), [True] * half + [False] * (half - 1) + [True])
    assert km.median.value == (half + n) / 2


@pytest.mark.parametrize(
    ("time", "event", "text"),
    [
        ([1, -2], [True, True], r"time\[1\] is -2"),
        ([1, float("nan")], [True, True], r"time\[1\] is nan"),
        ([1, None], [True, True], r"time\[1\] is nan"),
        (["a"], [True], "time has type <U1"),
        ([True], [True], "time has type bool"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), [True], "time has type datetime64"),
        ([object()], [True], "not a number"),
        ([1, 2], [0, 1], "event has type int64: booleans"),
        ([1, 2], [True], "one event indicator per time"),
        ([[1, 2]], [True, True], "2 dimensions"),
    ],
)
def test_bad_observations(time, event, text):
    with pytest.raises(ValueError, match=text):
        kaplan_meier(time, event)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"conf_type": "loglog"}, "conf_type is 'loglog'"),
        ({"quantile_rule": "stata"}, "quantile_rule is 'stata'"),
        ({"conf_level": 1.0}, "conf_level is 1.0"),
    ],
)
def test_bad_conventions(options, text):
    with pytest.raises(ValueError, match=text):
        kaplan_meier([1, 2], [True, False], **options)


def test_bad_questions():
    km = kaplan_meier([1, 2], [True, False])
    with pytest.raises(ValueError, match="q is 50"):
        km.quantile(50)
    with pytest.raises(ValueError, match="landmark times"):
        km.at([-1])
    with pytest.raises(ValueError, match="ties is 'x'"):
        follow_up([1], [True], ties="x")


def test_log_rank_without_information():
    assert log_rank([1, 2], [True, True], ["a", "a"]).reason == "fewer than two groups"
    nobody = log_rank([], [], [])
    assert (nobody.chi2, nobody.p_value, nobody.reason) == (None, None, "no patients")
    assert log_rank([1, 2], [False, False], ["a", "b"]).reason == "no event while two groups were at risk"
    three = log_rank([1, 5, 6, 7], [False, True, True, False], ["a", "b", "c", "c"])
    assert three.chi2 is None
    assert "never at risk" in three.reason


def test_log_rank_of_a_stratum_alone_equals_the_plain_test():
    time, event, group = [1, 2, 3, 4, 5, 6], [True, True, False, True, True, True], list("abaabb")
    assert log_rank(time, event, group, strata=[1] * 6).chi2 == log_rank(time, event, group).chi2


@pytest.mark.parametrize(
    ("group", "options", "text"),
    [
        (["a"], {}, "group has 1 labels"),
        (["a", None], {}, r"group\[1\] is missing"),
        (["a", "b"], {"strata": [1]}, "strata has 1 labels"),
        (["a", "b"], {"rho": -1}, "rho is -1"),
    ],
)
def test_bad_log_rank(group, options, text):
    with pytest.raises(ValueError, match=text):
        log_rank([1, 2], [True, True], group, **options)
