import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalon.analysis.survival import cumulative_incidence, fit_cox, kaplan_meier, log_rank, restricted_mean

rows = st.lists(
    st.tuples(st.integers(0, 20), st.sampled_from([None, "relapse", "death", "hsct"])),
    min_size=1,
    max_size=25,
)


@given(rows)
def test_incidences_and_event_free_share_make_one(data):
    time, cause = [t for t, _ in data], [c for _, c in data]
    ci = cumulative_incidence(time, cause)
    km = kaplan_meier(time, [c is not None for c in cause])
    assert ci.incidence.sum(axis=1) == pytest.approx(1 - km.at(ci.time).survival, abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=25))
def test_one_cause_is_kaplan_meier_with_greenwood(data):
    time, event = [t for t, _ in data], [e for _, e in data]
    ci = cumulative_incidence(time, [1 if e else 0 for e in event], censored=0)
    at = kaplan_meier(time, event).at(ci.time)
    if ci.causes:
        known = at.survival > 0
        assert ci.incidence[:, 0] == pytest.approx(1 - at.survival, abs=1e-12)
        assert ci.std_err[known, 0] == pytest.approx(at.std_err[known], abs=1e-7)


def test_cumulative_incidence_by_hand():
    """Five patients: at 1 relapse of 5, at 2 death of 4, at 3 censored, at 4 relapse of 2, at 5 censored."""
    ci = cumulative_incidence([1, 2, 3, 4, 5], ["relapse", "death", None, "relapse", None])
    assert ci.causes == ("death", "relapse")
    assert [e.value for e in ci.at([0, 1, 4], "relapse")] == pytest.approx([0, 0.2, 0.2 + 0.6 / 2])
    assert ci.at(5, "death")[0].value == pytest.approx(0.8 / 4)
    assert ci.at(6, "death")[0].reason == "no patient followed as far"
    assert ci.at(1, "death")[0].reason == "the incidence is 0: no interval"
    first = ci.at(1, "relapse")[0]
    assert first.std_err == pytest.approx((0.2 * 0.8 / 5) ** 0.5)
    assert first.low < 0.2 < first.high
    assert ci.n_event.sum() == 3


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: cumulative_incidence([1], ["a"]).at(1, "b"), "no cause 'b'"),
        (lambda: cumulative_incidence([1], ["a"]).at(-1, "a"), "landmark times"),
        (lambda: cumulative_incidence([1], []), "cause has 0 labels"),
        (lambda: cumulative_incidence([1], ["a"], conf_type="log"), "conf_type is 'log'"),
        (lambda: fit_cox([1], [True], [np.nan]), "covariates holds a missing"),
        (lambda: fit_cox([1], [True], [1], names=["a", "b"]), "names has 2 entries"),
        (lambda: fit_cox([1], [True], [1], ties="x"), "ties is 'x'"),
        (lambda: fit_cox([1, 2], [True, True], [1]), "covariates has shape"),
        (lambda: fit_cox([1], [True], ["a"]), "covariates holds something"),
        (lambda: kaplan_meier([1], [True], conf_level="95"), "conf_level is '95'"),
        (lambda: log_rank([1, 2], [True, True], ["a", 1]), "group mixes labels"),
        (lambda: log_rank([1, 2], [True, True], ["a", "b"], rho=float("nan")), "rho is nan"),
        (lambda: restricted_mean(kaplan_meier([1], [True]), 0), "horizon is 0"),
    ],
)
def test_bad_input(call, text):
    with pytest.raises(ValueError, match=text):
        call()


def test_restricted_mean_past_follow_up_is_not_estimated():
    km = kaplan_meier([1, 2, 3], [True, False, False])
    assert restricted_mean(km, 5).reason == "the last follow-up is at 3, before the horizon 5"
    assert restricted_mean(km, 3).value == pytest.approx(1 + 2 * 2 / 3)
    assert restricted_mean(kaplan_meier([], []), 5).reason == "no patients"
    ended = restricted_mean(kaplan_meier([1, 2], [True, True]), 10)
    assert (ended.value, ended.std_err) == (1.5, pytest.approx((0.5**2 * 1 / 2) ** 0.5))


@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=12), st.floats(0.5, 10))
def test_restricted_mean_without_censoring_is_the_mean_of_the_cut_times(times, horizon):
    mean = restricted_mean(kaplan_meier(times, [True] * len(times)), horizon)
    assert mean.value == pytest.approx(np.minimum(times, horizon).mean(), rel=1e-12)


@pytest.mark.parametrize("ties", ["efron", "breslow", "exact"])
def test_cox_without_ties_does_not_depend_on_the_rule(ties):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(40, 2))
    time = rng.exponential(np.exp(-x @ [0.7, -0.4]))
    event = rng.random(40) < 0.7
    fit, other = fit_cox(time, event, x, ties=ties), fit_cox(time, event, x, ties="efron")
    assert fit.coef == pytest.approx(other.coef, abs=1e-9)
    assert fit.std_err == pytest.approx(other.std_err, abs=1e-9)
    scaled = fit_cox(time, event, x * [10, 0.1], ties=ties)
    assert np.array(scaled.coef) * [10, 0.1] == pytest.approx(fit.coef, abs=1e-9)


def test_the_score_test_of_the_exact_likelihood_is_the_log_rank_test():
    time, event = [1, 1, 2, 3, 3, 4, 5, 6], np.array([1, 1, 1, 0, 1, 1, 1, 0], dtype=bool)
    group = np.array([0, 1, 0, 1, 1, 0, 1, 0])
    from escalon.analysis.survival.cox import _model

    model = _model(np.array(time, float), event, group[:, None] * 1.0, "exact")
    score, information = model.score(np.zeros(1))[0], -model.hessian(np.zeros(1))[0, 0]
    assert score**2 / information == pytest.approx(log_rank(time, event, group).chi2, rel=1e-12)


def test_without_the_library_the_way_out_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "statsmodels.duration.hazard_regression", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'escalon\[cox\]'"):
        fit_cox([1, 2, 3], [True, True, False], [0, 1, 0])


def test_what_has_no_maximum_is_a_reason():
    monotone = fit_cox([1, 2, 3, 4], [True, True, False, False], [1, 1, 0, 0])
    assert monotone.coef == (None,)
    assert monotone.reason == "the likelihood has no finite maximum"
    assert fit_cox([1, 2], [False, False], [0, 1]).reason == "no events"
    constant = fit_cox([1, 2, 3], [True, True, True], [[1, 2], [2, 4], [4, 8]])
    assert constant.reason == "a covariate is constant or a combination of the others"
    assert constant.hazard_ratio[0].value is None
