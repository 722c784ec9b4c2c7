import math

import numpy as np
import pytest

from escalon.analysis.pk import cell_kinetics

DAYS = [0, 3, 5, 7, 10, 14, 21, 28, 35, 42]


def stein(t, cmax=24000.0, tmax=10.0, rho=0.9, alpha=0.16):
    return cmax * math.exp(rho * (t - tmax)) if t < tmax else cmax * math.exp(-alpha * (t - tmax))


VALUES = [0.0, *[stein(t) for t in DAYS[1:8]], 20.0, 0.0]


def test_phases_of_a_known_curve():
    r = cell_kinetics(DAYS, VALUES, "qPCR, blood", "copies/ug", lloq=10)
    assert (r.value("CMAX"), r.value("TMAX")) == (24000.0, 10.0)
    assert r.value("EXPRATE") == pytest.approx(0.9)
    assert r.value("DOUBLING") == pytest.approx(math.log(2) / 0.9)
    assert r.value("FOLDEXP") == pytest.approx(math.exp(0.9 * 7))
    assert r.value("CONTRHL") == pytest.approx(math.log(2) / 0.16)
    assert (r.value("TLST"), r.value("CLST")) == (35.0, 20.0)
    assert (r.persistence_time, r.persistence_event) == (42.0, True)
    assert r.value("AUC0_84") > r.value("AUC0_28")


def test_the_first_value_below_quantification_counts_as_zero_once():
    r = cell_kinetics([0, 7, 14, 21, 28], [0, 100, 50, 0, 0], "flow", "cells/uL", method="linear")
    assert r.value("AUC0_28") == pytest.approx(350 + 525 + 175)
    assert r.value("AUCLST") == pytest.approx(875)


def test_still_detected_is_censored_and_short_follow_up_says_so():
    r = cell_kinetics([0, 7, 14], [0, 100, 50], "flow", "cells/uL")
    assert (r.persistence_time, r.persistence_event) == (14.0, False)
    assert r.reason("AUC0_28") == "no sample after 14: the area stops there"
    assert r.reason("EXPRATE") == "quantifiable samples from nadir to peak: 1, needed: 3"
    assert r.reason("CONTRHL") == "quantifiable samples from the peak on: 2, needed: 3"


def test_never_detected():
    r = cell_kinetics([0, 7, 14], [0, 0, None], "flow", "cells/uL")
    assert (r.persistence_time, r.persistence_event) == (None, None)
    assert r.reason("CMAX") == "never above the limit of quantification"
    assert r.value("AUC0_28") is None


def test_distribution_samples_can_be_left_out_of_the_peak():
    t, v = [0.1, 1, 3, 7, 10], [5000.0, 10.0, 100.0, 900.0, 400.0]
    assert cell_kinetics(t, v, "qPCR", "copies/ug").value("TMAX") == 0.1
    assert cell_kinetics(t, v, "qPCR", "copies/ug", ignore_before=1).value("TMAX") == 7


def test_scaling_of_the_assay():
    one = cell_kinetics(DAYS, VALUES, "a", "u", lloq=10)
    other = cell_kinetics(DAYS, np.array(VALUES) * 8, "a", "u", lloq=80)
    for code in ("CMAX", "AUCLST", "AUC0_28"):
        assert other.value(code) == pytest.approx(8 * one.value(code))
    for code in ("TMAX", "EXPRATE", "CONTRHL", "FOLDEXP"):
        assert other.value(code) == pytest.approx(one.value(code))


def test_bad_input():
    with pytest.raises(ValueError, match="never pooled"):
        cell_kinetics([0, 1], [0, 1], "", "copies/ug")
    with pytest.raises(ValueError, match="no parameter 'AUC'"):
        cell_kinetics([0, 1], [0, 1], "a", "u").value("AUC")


@pytest.mark.parametrize("options", [{"contraction_until": float("nan")}, {"ignore_before": -1.0}])
def test_days_that_are_none_are_refused(options):
    with pytest.raises(ValueError, match="contraction_until"):
        cell_kinetics([0, 2, 3], [0, 9, 5], "qPCR", "copies/ug", **options)


def test_the_expansion_starts_at_the_last_of_equally_low_samples():
    found = cell_kinetics([1, 2, 4, 6, 8], [100, 100, 200, 400, 800], "qPCR", "copies/ug")
    assert found.value("EXPRATE") == pytest.approx(math.log(2) / 2, rel=1e-12)
    assert found.value("FOLDEXP") == 8
