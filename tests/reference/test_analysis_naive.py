"""The analysis room against plain second implementations, on small data with many ties."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from escalon.analysis.pk import nca
from escalon.analysis.response import proportion
from escalon.analysis.survival import (
    VisitWindow,
    cumulative_incidence,
    derive_time_to_event,
    fit_cox,
    follow_up,
    kaplan_meier,
    load_analyses,
    log_rank,
)
from tests.reference import naive_analysis as naive
from tests.reference import naive_cox

observations = st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=14)


def split(data):
    return [t for t, _ in data], np.array([e for _, e in data], dtype=bool)


@given(observations)
def test_curves_and_intervals(data):
    km, reverse = kaplan_meier(*split(data)), follow_up(*split(data))
    for i, t in enumerate(km.time):
        assert km.survival[i] == pytest.approx(float(naive.survival_after(data, t)), abs=1e-14)
        assert reverse.survival[i] == pytest.approx(float(naive.follow_up_after(data, t)), abs=1e-14)
        interval = naive.log_log_interval(data, t)
        if interval is None:
            assert np.isnan(km.low[i])
        else:
            assert (km.low[i], km.high[i]) == pytest.approx(interval, abs=1e-12)


SCALES = {
    "plain": lambda p: p,
    "log": math.log,
    "logit": lambda p: math.log(p / (1 - p)),
    "arcsin": lambda p: math.asin(math.sqrt(p)),
}


@given(observations, st.sampled_from(sorted(SCALES)))
def test_intervals_on_every_scale(data, scale):
    km = kaplan_meier(*split(data), conf_type=scale)
    for i, t in enumerate(km.time):
        interval = naive.transformed_interval(data, t, SCALES[scale])
        if interval is None:
            assert np.isnan([km.low[i], km.high[i]]).all()
        else:
            # The difference quotient of the twin is good to about 1e-10.
            assert (km.low[i], km.high[i]) == pytest.approx(interval, abs=1e-8)


@given(observations, st.sampled_from([0.25, 0.5, 0.75]), st.sampled_from(["r", "sas"]))
def test_quantiles_on_every_plateau(data, p, rule):
    assert kaplan_meier(*split(data), quantile_rule=rule).quantile(p).value == naive.quantile(data, p, rule)


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.integers(0, 1)), min_size=2, max_size=14))
def test_log_rank(data):
    assume(len({g for _, _, g in data}) == 2)
    found = log_rank([t for t, _, _ in data], np.array([e for _, e, _ in data]), [g for _, _, g in data]).chi2
    expected = naive.log_rank_two_groups(data)
    assert (found is None) == (expected is None)
    assert found is None or found == pytest.approx(float(expected), rel=1e-9, abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([None, "a", "b"])), min_size=1, max_size=14))
def test_cumulative_incidence(data):
    ci = cumulative_incidence([t for t, _ in data], [c for _, c in data])
    for cause in ci.causes:
        for i, t in enumerate(ci.time):
            expected = float(naive.cumulative_incidence(data, t, cause))
            assert ci.incidence[i, ci.column(cause)] == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize("n", [1, 2, 7, 18])
def test_clopper_pearson(n):
    for x in range(n + 1):
        e = proportion(x, n)
        assert (e.low, e.high) == pytest.approx(naive.clopper_pearson(x, n), abs=1e-12)


samples = st.lists(st.tuples(st.floats(0.2, 9), st.floats(0.01, 50)), min_size=3, max_size=8)


@settings(max_examples=40)
@given(samples, st.sampled_from(["linear", "lin-up log-down", "linear-log"]))
def test_areas_by_numerical_integration(steps, method):
    t = np.cumsum([s[0] for s in steps]).tolist()
    profile = [(0.0, 0.0), *zip(t, [s[1] for s in steps], strict=True)]
    r = nca(t, [s[1] for s in steps], method=method)
    # Simpson with 2000 steps leaves about 1e-10 on the steepest exponential drawn here.
    assert r.value("AUCLST") == pytest.approx(naive.area(profile, method), rel=1e-8)
    assert r.value("AUMCLST") == pytest.approx(naive.area(profile, method, power=1), rel=1e-8)


@given(samples)
def test_terminal_slope(steps):
    t, c = np.cumsum([s[0] for s in steps]).tolist(), [s[1] for s in steps]
    # Adjusted R2 of two windows within rounding of the 1e-4 rule may fall either way.
    expected = naive.terminal_slope(list(zip(t, c, strict=True)), t[c.index(max(c))])
    r = nca(t, c)
    assert (r.value("LAMZ") is None) == (expected is None)
    if expected is not None and r.value("LAMZNPT") == expected[1]:
        assert r.value("LAMZ") == pytest.approx(expected[0], rel=1e-6)
    elif expected is not None:
        points = [s for s in zip(t, c, strict=True) if s[0] > t[c.index(max(c))]]
        adjusted = [
            1 - (1 - naive.regression(points[-n:])[2]) * (n - 1) / (n - 2)
            for n in (expected[1], int(r.value("LAMZNPT")))
        ]
        assert math.isclose(adjusted[0], adjusted[1], abs_tol=1.001e-4)


kinds = ["ASSESSMENT", "ASSESSMENT", "ASSESSMENT", "PROGRESSION", "DEATH", "HSCT", "NEW_THERAPY"]
windows = [(25, 31), (49, 63), (77, 91), (84, 98), (169, 197), (351, 379), (534, 562), (717, 745)]


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(kinds), st.integers(1, 800)), max_size=8))
def test_progression_free_survival(facts):
    rows = [("1", k, d) for k, d in [("ORIGIN_TREATMENT", -5), ("ORIGIN_INFUSION", 0), *facts]]
    schema = {"USUBJID": pl.String, "KIND": pl.String, "ADT": pl.Int64}
    records = pl.DataFrame(rows, schema=schema, orient="row")
    visits = [VisitWindow(f"V{i}", *window) for i, window in enumerate(windows)]
    found = derive_time_to_event(records, load_analyses(horizon_day=731, missed=2, visits=visits))
    row = found.filter(PARAMCD="PFS").row(0, named=True)
    expected = naive.progression_free(facts, -5, windows, 0, 731)
    assert (row["AVAL"], row["CNSR"] == 0) == expected


@pytest.mark.parametrize("ties", ["efron", "breslow", "exact"])
@pytest.mark.parametrize("seed", range(4))
def test_cox(ties, seed):
    rng = np.random.default_rng(seed)
    time, event = rng.integers(1, 7, 16).tolist(), rng.random(16) < 0.7
    x = rng.normal(size=16)
    fit = fit_cox(time, event, x, ties=ties)
    beta, std_err = naive_cox.maximum(time, event, x, ties)
    # Golden section finds a maximum to the root of the rounding error; the second difference errs by h^2.
    assert fit.coef[0] == pytest.approx(beta, abs=1e-6)
    assert fit.std_err[0] == pytest.approx(std_err, rel=1e-4)
    likelihoods = [naive_cox.loglik(b, time, event, x, ties) for b in (0.0, fit.coef[0])]
    assert fit.loglik == pytest.approx(likelihoods, abs=1e-9)
