import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom

from escalon.analysis.response import PROPORTION_METHODS, proportion


@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    [(7, 18, 17.3, 64.3), (5, 18, 9.7, 53.5), (2, 3, 9.4, 99.2), (1, 3, 0.8, 90.6)],
)
def test_published_response_rates(x, n, low, high):
    """Clopper-Pearson percentages of the published BALLI-01 response rates."""
    e = proportion(x, n)
    assert (round(100 * e.low, 1), round(100 * e.high, 1)) == (low, high)
    assert e.value == x / n


def test_wilson_and_jeffreys_against_closed_forms():
    z = 1.959963984540054
    e = proportion(3, 12, "wilson")
    # The Wilson ends solve (p - x/n)^2 = z^2 p (1 - p) / n.
    for p in (e.low, e.high):
        assert (p - 0.25) ** 2 == pytest.approx(z * z * p * (1 - p) / 12, rel=1e-12)
    e = proportion(3, 12, "jeffreys")
    assert (beta.cdf(e.low, 3.5, 9.5), beta.cdf(e.high, 3.5, 9.5)) == pytest.approx((0.025, 0.975), abs=1e-12)


counts = st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, st.sampled_from([0.8, 0.9, 0.95]))
def test_clopper_pearson_ends_are_binomial_tails(xn, level):
    x, n = xn
    e = proportion(x, n, conf_level=level)
    if x > 0:
        assert binom.sf(x - 1, n, e.low) == pytest.approx((1 - level) / 2, rel=1e-8)
    if x < n:
        assert binom.cdf(x, n, e.high) == pytest.approx((1 - level) / 2, rel=1e-8)


@given(counts, st.sampled_from(PROPORTION_METHODS))
def test_ends_contain_the_estimate_and_mirror(xn, method):
    x, n = xn
    e, mirror = proportion(x, n, method), proportion(n - x, n, method)
    assert 0 <= e.low <= e.value <= e.high <= 1
    assert (mirror.low, mirror.high) == pytest.approx((1 - e.high, 1 - e.low), abs=1e-9)


@pytest.mark.parametrize("method", PROPORTION_METHODS)
def test_none_and_all(method):
    assert proportion(0, 5, method).low == 0.0
    assert proportion(5, 5, method).high == 1.0
    assert proportion(0, 5, method).high < 1


def test_no_patients_is_a_reason():
    e = proportion(0, 0)
    assert (e.value, e.low, e.high, e.reason) == (None, None, None, "no patients")


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((4, 3), "at most n"),
        ((-1, 3), "whole number"),
        ((1.5, 3), "whole number"),
        ((True, 3), "whole number"),
        ((1, 3, "wald"), "method is 'wald'"),
        ((1, 3, "wilson", 95), "conf_level is 95"),
    ],
)
def test_bad_input(args, text):
    with pytest.raises(ValueError, match=text):
        proportion(*args)
