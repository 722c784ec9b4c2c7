import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from escalon.design import EscalationPlan, exact_oc, simulate_oc
from escalon.design.exact import PlanTooLargeError
from escalon.design.exact_efficacy import enumerate_efficacy
from escalon.design.rules.efftox_posterior import Part, Resolution, fit_efftox
from tests.unit.design.monte_carlo import flat, numbers

PRIORS = {
    "prior_tox_intercept": [-2.0, 1.5],
    "prior_tox_slope": [1.0, 1.0],
    "prior_eff_intercept": [0.0, 1.5],
    "prior_eff_slope": [1.0, 1.0],
}


def plan(doses=(1, 2, 4), total=9, size=3, guards=(), **rule):
    content = {
        "kind": "efftox",
        "doses": doses,
        "eff_limit": 0.4,
        "tox_limit": 0.35,
        "contour_eff": 0.4,
        "contour_tox": 0.7,
        "contour_point": [0.7, 0.3],
        **PRIORS,
        **rule,
    }
    return EscalationPlan.model_validate(
        {
            "rule": content,
            "levels": len(doses),
            "cohort_size": size,
            "max_patients": total,
            "guards": list(guards),
        }
    )


def test_recommendation_says_why():
    answer = plan().recommend("1NEN")
    text = " ".join(answer.reasons)
    assert "utility at the posterior mean probabilities" in text
    assert "Level 1: efficacy 0." in text
    assert answer.estimates[0].estimate == answer.efficacy[0].prob_tox
    assert answer.level == 2


def test_untried_levels_are_not_skipped():
    answer = plan(tox_certainty=0.01).recommend("1EEE")
    assert answer.level in (1, 2)
    assert 3 not in answer.admissible


def test_stops_when_nothing_is_acceptable():
    answer = plan(total=30).recommend("1TTT 1TTT")
    assert (answer.action, answer.level, answer.mtd) == ("stop", None, None)


def test_contour_has_utility_zero():
    rule = plan().rule
    np.testing.assert_allclose(
        rule.utility(np.array([0.4, 1.0, 0.7]), np.array([0.0, 0.7, 0.3])), np.zeros(3), atol=1e-12
    )


X = np.log([1, 2, 4.0, 6.6, 10]) - np.log([1, 2, 4.0, 6.6, 10]).mean()
WIDE = (
    Part(
        np.column_stack([X, X**2, np.ones(5)]), np.array([3.4181, 0, 0.7367]), np.array([2.4406, 0.2, 2.5423])
    ),
    Part(np.column_stack([X, np.ones(5)]), np.array([1.5482, -7.9593]), np.array([3.5018, 3.5487])),
)


@pytest.mark.parametrize(
    "counts",
    [
        ([3, 3, 3, 0, 0], [0, 0, 2, 0, 0], [0, 1, 2, 0, 0], [0, 0, 1, 0, 0]),
        ([6, 0, 0, 0, 0], [6, 0, 0, 0, 0], [6, 0, 0, 0, 0], [6, 0, 0, 0, 0]),
        ([3, 6, 6, 3, 0], [0, 1, 1, 2, 0], [0, 2, 4, 2, 0], [0, 1, 1, 1, 0]),
    ],
)
def test_stated_accuracy(counts):
    """Wide priors are the hard case; a grid of half the spacing gives the same."""
    arrays = tuple(np.array(part) for part in counts)
    plain, fine = (
        fit_efftox(*WIDE, (0.0, 1.0), (0.5, 0.3), arrays, resolution)
        for resolution in (Resolution(), Resolution(slope=0.2, curve=1.0, inner=0.25, other=0.9, psi=11))
    )
    for name, bound in (
        ("prob_eff", 1e-5),
        ("prob_tox", 1e-5),
        ("prob_acceptable_eff", 2e-4),
        ("prob_acceptable_tox", 2e-4),
    ):
        np.testing.assert_allclose(getattr(plain, name), getattr(fine, name), rtol=0, atol=bound)


@st.composite
def small_counts(draw):
    cells = [[draw(st.integers(0, 2)) for _ in range(4)] for _ in range(3)]
    both, tox, eff, none = (np.array(part) for part in zip(*cells, strict=True))
    return both + tox + eff + none, both + tox, both + eff, both


@given(small_counts())
@settings(max_examples=15, deadline=None)
def test_toxicity_and_efficacy_mirror_each_other(counts):
    """With equal priors and designs of both parts, exchanging the outcomes exchanges the posteriors."""
    n, y, e, both = counts
    design = np.column_stack([X[:3], np.ones(3)])
    part = Part(design, np.array([0.5, -0.5]), np.array([1.0, 1.5]))
    one = fit_efftox(part, part, (0.0, 1.0), (0.4, 0.4), (n, y, e, both), Resolution())
    two = fit_efftox(part, part, (0.0, 1.0), (0.4, 0.4), (n, e, y, both), Resolution())
    np.testing.assert_allclose(one.prob_eff, two.prob_tox, rtol=0, atol=1e-12)
    np.testing.assert_allclose(one.prob_acceptable_eff, 1 - two.prob_acceptable_tox, rtol=0, atol=1e-12)


def test_no_patients_give_the_prior():
    nobody = (np.zeros(5, int),) * 4
    found = fit_efftox(*WIDE, (0.0, 1.0), (0.5, 0.3), nobody, Resolution())
    x, w = np.polynomial.hermite_e.hermegauss(180)
    for part, mean in zip(WIDE, (found.prob_eff, found.prob_tox), strict=True):
        centre, spread = (
            part.design @ part.mean,
            np.sqrt((part.design * part.sd) ** 2 @ np.ones(part.mean.size)),
        )
        expected = (w / w.sum()) @ (1 / (1 + np.exp(-(centre + spread * x[:, None]))))
        np.testing.assert_allclose(mean, expected, rtol=0, atol=1e-5)


def test_simulation_agrees_with_enumeration():
    design = plan(doses=(1, 3), total=4, size=2)
    exact = exact_oc(design, [0.2, 0.5], [0.3, 0.6], 2.0)
    found = simulate_oc(design, [0.2, 0.5], trials=8_000, seed=3, prob_eff=[0.3, 0.6], odds_ratio=2.0)
    for name, error in found.standard_error.items():
        gap = np.abs(numbers(found, name) - numbers(exact, name))
        # 4.5 standard errors over some 30 comparisons; the seed is fixed
        assert np.all(gap <= 4.5 * flat(error, found, exact) + 1e-12), name
    assert sum(exact.n_distribution.values()) == pytest.approx(1, abs=1e-12)
    again = simulate_oc(
        design, [0.2, 0.5], trials=8_000, seed=3, prob_eff=[0.3, 0.6], odds_ratio=2.0, workers=2
    )
    assert again.to_dict() == found.to_dict()


def test_too_large_to_enumerate():
    with pytest.raises(PlanTooLargeError, match="use simulation"):
        enumerate_efficacy(plan(doses=(1, 3), total=4, size=2), max_states=5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"doses": (1, 4, 2)}, "doses: at least two, above 0 and increasing"),
        ({"doses": (0, 1, 2)}, "doses"),
        ({"contour_point": [0.3, 0.2]}, "contour_point"),
        ({"contour_point": [0.7, 0.8]}, "contour_point"),
        ({"prior_eff_slope": [1.0, 0.0]}, "prior_eff_slope: the standard deviation"),
        ({"guards": [{"kind": "too_toxic", "limit": 0.3, "certainty": 0.9}]}, "guards: too_toxic"),
        ({"eff_limit": 1.2}, "eff_limit"),
    ],
)
def test_bad_rule_is_named(change, message):
    with pytest.raises(ValidationError, match=message):
        plan(**change)


def test_one_dose_per_level():
    with pytest.raises(ValidationError, match="doses: 2 values expected"):
        EscalationPlan.model_validate({**plan().model_dump(), "levels": 2})


def test_intervals_hold_their_share_of_the_posterior():
    """The ends of every interval, put in as limits, have the posterior probabilities 2.5% and 97.5% beyond."""
    rule = plan().rule
    rows = plan().recommend("1NEN 2EBN").efficacy
    counts = (np.array([3, 3, 0]), np.array([0, 1, 0]), np.array([1, 2, 0]), np.array([0, 1, 0]))
    for j, row in enumerate(rows):
        for end, beyond in (("lower", 0.975), ("upper", 0.025)):
            limits = {name: getattr(row, f"{name}_{end}") for name in ("eff", "tox")}
            moved = rule.model_copy(update={f"{name}_limit": value for name, value in limits.items()})
            found = moved.posterior(*counts)
            # interpolated on a ladder of limits
            assert found.prob_acceptable_eff[j] == pytest.approx(beyond, abs=0.004)
            assert 1 - found.prob_acceptable_tox[j] == pytest.approx(beyond, abs=0.004)
    assert rows[2].n == 0


def test_one_level_below_the_lowest_tried_is_in_range_and_no_further():
    design = plan(doses=(1, 2, 4, 8), total=30).model_copy(update={"start_level": 3})
    answer = design.recommend("3BBE")
    assert 2 in answer.admissible
    assert 1 not in answer.admissible
