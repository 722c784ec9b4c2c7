"""BOP2: shape of the boundaries, calibration, refusals."""

import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalon.design.expansion import Bop2Design, calibrate_bop2

LOOKS = (8, 16, 24, 32)
NESTED = (0.15, 0.15, 0.7)
JOINT = (0.15, 0.30, 0.15, 0.40)


@given(
    p0=st.floats(0.05, 0.8),
    lam=st.floats(0.3, 0.99),
    gamma=st.floats(0, 2),
    eta=st.floats(0, 3),
    kind=st.sampled_from(["power", "obrien_fleming", None]),
    p=st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_binary_designs_are_orderly(p0, lam, gamma, eta, kind, p):
    design = Bop2Design("binary", (p0,), LOOKS, lam, gamma, eta, kind)
    (found,) = design.boundaries
    futility = [-1 if count is None else count for count in found.futility]
    assert futility == sorted(futility)  # more patients, more responses needed
    for n, low, high in zip(LOOKS, futility, found.efficacy, strict=True):
        assert high is None or low < high <= n
    assert found.efficacy[-1] in (futility[-1] + 1, None)
    oc = design.oc((p,))
    assert sum(oc.n_distribution.values()) == pytest.approx(1, abs=1e-12)
    assert sum(oc.prob_futility) + sum(oc.prob_efficacy) == pytest.approx(1, abs=1e-12)
    assert oc.mean_events[0] == pytest.approx(p * oc.mean_n, abs=1e-10)  # Wald
    assert oc.prob_success <= design.oc((min(p + 0.1, 1.0),)).prob_success + 1e-12


def test_without_efficacy_stopping_the_futility_boundary_is_the_same():
    with_fe = Bop2Design("binary", (0.2,), LOOKS, 0.9, 1.0, 2.0)
    without = Bop2Design("binary", (0.2,), LOOKS, 0.9, 1.0, efficacy=None)
    assert with_fe.boundaries[0].futility == without.boundaries[0].futility
    assert without.boundaries[0].efficacy[:-1] == (None, None, None)
    assert without.oc((0.4,)).prob_early_efficacy == 0
    assert without.oc((0.4,)).mean_n > with_fe.oc((0.4,)).mean_n


def test_co_primary_with_one_endpoint_twice_is_nested_with_nothing_between():
    # both endpoints always agree: the design is the binary one
    nested = Bop2Design("co_primary", (0.2, 1e-12, 1e-12, 0.8 - 2e-12), LOOKS, 0.8, 0.5, 1.0)
    binary = Bop2Design("binary", (0.2,), LOOKS, 0.8, 0.5, 1.0)
    assert nested.boundaries[0].futility == binary.boundaries[0].futility
    found, expected = nested.oc((0.35, 0, 0, 0.65)), binary.oc((0.35,))
    assert found.prob_success == pytest.approx(expected.prob_success, abs=1e-13)
    np.testing.assert_allclose(found.prob_futility, expected.prob_futility, rtol=0, atol=1e-13)


def test_toxicity_stops_for_many_events():
    found = Bop2Design("efficacy_toxicity", JOINT, LOOKS, 0.7, 0.8, 0.9).boundaries[1]
    assert not found.high_is_good
    for futile, fine in zip(found.futility, found.efficacy, strict=True):
        assert futile is None or fine is None or futile > fine


def test_calibration_is_the_best_of_its_grid():
    grid = {"lams": (0.7, 0.8, 0.9, 0.95), "gammas": (0.0, 0.5, 1.0), "etas": (0.5, 2.0)}
    found = calibrate_bop2("binary", (0.2,), (0.4,), LOOKS, 0.1, **grid)
    powers = []
    for lam in grid["lams"]:
        for gamma in grid["gammas"]:
            for eta in grid["etas"]:
                design = Bop2Design("binary", (0.2,), LOOKS, lam, gamma, eta)
                if design.oc((0.2,)).prob_success <= 0.1:
                    powers.append(design.oc((0.4,)).prob_success)
    assert found.power == pytest.approx(max(powers), abs=1e-13)
    assert found.candidates == 24
    assert found.type1 == pytest.approx(found.design.oc((0.2,)).prob_success, abs=1e-13)
    assert found.mean_n_null == pytest.approx(found.design.oc((0.2,)).mean_n, abs=1e-12)


def test_calibration_keeps_every_null():
    toxic = (0.25, 0.35, 0.05, 0.35)  # effective, but as toxic as the null
    usual = calibrate_bop2("efficacy_toxicity", JOINT, (0.18, 0.42, 0.02, 0.38), LOOKS, 0.1)
    strict = calibrate_bop2(
        "efficacy_toxicity", JOINT, (0.18, 0.42, 0.02, 0.38), LOOKS, 0.1, more_nulls=[toxic]
    )
    assert usual.design.oc(toxic).prob_success > 0.1
    assert strict.type1 <= 0.1
    assert strict.design.oc(toxic).prob_success <= 0.1
    assert strict.power < usual.power


def test_calibration_is_fast():
    start = time.process_time()
    calibrate_bop2("binary", (0.2,), (0.4,), LOOKS, 0.1)
    assert time.process_time() - start < 1  # about 0.05 s on an idle machine


def test_plain_values():
    answer = Bop2Design("nested", NESTED, LOOKS, 0.9, 0.3, 2.0).to_dict()
    assert json.loads(json.dumps(answer)) == answer
    assert json.dumps(Bop2Design("binary", (0.2,), LOOKS, 0.9, 1).oc((0.2,)).to_dict())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("binary", (0.2, 0.8), LOOKS, 0.9, 1), "null: 1 probabilities expected for binary; got 2"),
        (("nested", (0.2, 0.2, 0.7), LOOKS, 0.9, 1), "add up to 1; got 1.1"),
        (("triple", (0.2,), LOOKS, 0.9, 1), "kind: got 'triple'; choose one of binary"),
        (("binary", (0.2,), (10, 10), 0.9, 1), "looks\\[1\\]: got 10 after 10"),
        (("binary", (0.2,), (), 0.9, 1), "looks: got none"),
        (("binary", (0.2,), LOOKS, 1.0, 1), "lam: got 1.0"),
        (("binary", (0.2,), LOOKS, 0.9, -1), "gamma: got -1"),
        (("binary", (0.2,), LOOKS, 0.9, 1, float("nan")), "eta: got nan"),
        (("binary", (0.2,), LOOKS, 0.9, 1, 1, "pocock"), "efficacy: got 'pocock'"),
    ],
)
def test_impossible_designs_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        Bop2Design(*arguments)


def test_other_refusals():
    with pytest.raises(ValueError, match="extend `lams` upwards"):
        calibrate_bop2("binary", (0.2,), (0.4,), LOOKS, 0.01, lams=(0.5,))
    with pytest.raises(ValueError, match=r"lams: every value must lie strictly between"):
        calibrate_bop2("binary", (0.2,), (0.4,), LOOKS, 0.1, lams=(0.5, 1.0))
    with pytest.raises(ValueError, match="etas: a list of numbers"):
        calibrate_bop2("binary", (0.2,), (0.4,), LOOKS, 0.1, etas=())
    with pytest.raises(ValueError, match=r"probabilities\[0\]: got 1\.2"):
        Bop2Design("binary", (0.2,), LOOKS, 0.9, 1).oc((1.2,))
    with pytest.raises(ValueError, match="looks: 5000 patients with 2 associated endpoints need"):
        Bop2Design("nested", NESTED, (5000,), 0.9, 1).oc(NESTED)
